// SPDX-License-Identifier: GPL-2.0
/*
 * The Xen backend: translation, the words of P2M leaves, and a hypervisor with little memory.
 * The KUnit suite lib/tests/xen_iommu_kunit.c tests contiguity and exchange.
 */
#include "test.h"
#include <asm/dma-machine.h>
#include <asm/xen/p2m-leaf.h>

static struct io_tlb_mem *const mem = &io_tlb_default_mem;

/* Each page has a machine address that leads back to it. Foreign frames lead to no page. */
TEST_ALL_FRAMES(xen_translation)
{
	phys_addr_t phys, maddr, foreign;
	unsigned long i;

	boot(variant, "512");
	EXPECT_EQ(xen_dma_max_machine(), (8ULL << 30) - 1);
	for (i = 0; i < MACHINE_PAGES; i++) {
		phys = machine_page_phys(i) + i % 4096;
		maddr = dma_phys_to_machine(phys);
		EXPECT_EQ(maddr, PFN_PHYS(machine_frame_of(i)) + i % 4096);
		EXPECT_EQ(dma_machine_to_phys(maddr), phys);
	}
	if (variant == FRAMES_NATIVE)
		return;

	/* A granted page: in its own domain it has the pfn of one of our pages. */
	foreign = machine_page_phys(100);
	maddr = dma_phys_to_machine(foreign);
	machine_make_foreign(foreign, PHYS_PFN(mem->defpool->start));
	EXPECT_EQ(dma_phys_to_machine(foreign), maddr);
	EXPECT_EQ(dma_machine_to_phys(maddr), DMA_PHYS_NONE);

	/* A page that was ballooned out, and MMIO */
	machine_make_hole(machine_page_phys(200));
	EXPECT_EQ(dma_phys_to_machine(machine_page_phys(200)), (phys_addr_t)DMA_MAPPING_ERROR);
	EXPECT_EQ(dma_phys_to_machine(0xfee00123), 0xfee00123);
	EXPECT_EQ(dma_phys_to_machine(PFN_PHYS(xen_p2m_size)), PFN_PHYS(xen_p2m_size));
	EXPECT_EQ(dma_machine_to_phys(PFN_PHYS(1UL << 30)), DMA_PHYS_NONE);
}

static bool slowly_contiguous(phys_addr_t phys, size_t size)
{
	u64 first = dma_phys_to_machine(phys);
	phys_addr_t at;

	/* The first byte of each page except the first */
	for (at = PAGE_ALIGN(phys + 1); at < phys + size; at += PAGE_SIZE)
		if (dma_phys_to_machine(at) != first + (at - phys))
			return false;
	return dma_phys_to_machine(phys) != (phys_addr_t)DMA_MAPPING_ERROR;
}

static void expect_as_slowly(phys_addr_t phys, size_t size)
{
	machine_context("%#llx+%#zx", phys, size);
	EXPECT_EQ(dma_machine_contiguous(phys, size), slowly_contiguous(phys, size));
}

static void expect_as_slowly_anywhere(u64 *random, size_t most)
{
	phys_addr_t phys = MACHINE_LOW_START + machine_random(random) % MACHINE_LOW_SIZE;
	size_t size = 1 + machine_random(random) % most;

	if (phys + size <= MACHINE_LOW_START + MACHINE_LOW_SIZE)
		expect_as_slowly(phys, size);
}

/* Identity frames: some of them have no entry that says so. */
TEST(xen_identity_frames)
{
	unsigned long low_end = PHYS_PFN(MACHINE_LOW_START + MACHINE_LOW_SIZE);
	unsigned long high_end = PHYS_PFN(MACHINE_HIGH_START + MACHINE_HIGH_SIZE);

	boot(FRAMES_IDENTITY, "512");
	EXPECT(xen_p2m_contiguous(low_end, 5000));
	EXPECT(xen_p2m_contiguous(high_end, 5000));
	EXPECT(xen_p2m_contiguous(low_end - 3, 3));
	EXPECT(!xen_p2m_contiguous(low_end - 3, 4));
	EXPECT(!xen_p2m_contiguous(low_end - 3, 5000));
	EXPECT(!xen_p2m_contiguous(high_end - 1, 2));
	EXPECT(!xen_p2m_contiguous(PHYS_PFN(MACHINE_HIGH_START) - 1, 2));
}

/* --- the word of a leaf --- */

#define FIRST		PHYS_PFN(MACHINE_LOW_START)	/* a leaf begins there */
#define LEAF		P2M_PER_PAGE
#define GROUP		XEN_P2M_GROUP
#define BYTES(pages)	((pages) * PAGE_SIZE)

static phys_addr_t page_of_leaf(unsigned long i)
{
	return PFN_PHYS(FIRST + i);
}

static bool contiguous(unsigned long first, unsigned long nr)
{
	return dma_machine_contiguous(page_of_leaf(first), BYTES(nr));
}

/* In a new tick the leaf may be read in any case. */
static void learn_leaf(void)
{
	machine_ticks++;
	contiguous(0, LEAF);
	EXPECT(xen_p2m_leaves[FIRST / LEAF] & XEN_P2M_VALID);
}

/* After the first question the word answers for all of its leaf, and for nothing beyond. */
TEST(xen_leaf_remembered)
{
	boot(FRAMES_OFFSET, "512");
	EXPECT(!xen_p2m_remembered(FIRST, 2));
	EXPECT(contiguous(3, 2));
	EXPECT(xen_p2m_remembered(FIRST, LEAF));
	EXPECT(xen_p2m_remembered(FIRST + LEAF - 1, 1));
	EXPECT(!xen_p2m_remembered(FIRST - 1, 2));
	EXPECT(!xen_p2m_remembered(FIRST + LEAF - 1, 2));
	/* These pages are contiguous all the same. */
	EXPECT(contiguous(LEAF - 1, 2));
	EXPECT(xen_p2m_remembered(FIRST + LEAF, LEAF));
	EXPECT(contiguous(1, 3 * LEAF));
	machine_make_hole(page_of_leaf(2 * LEAF));
	EXPECT(contiguous(1, 2 * LEAF - 1));
	EXPECT(!contiguous(1, 2 * LEAF));
}

/* Both leaves are contiguous, but not with each other. */
TEST(xen_leaves_apart)
{
	unsigned long leaf = 0, i;

	boot(FRAMES_BY_2M, "512");
	for (i = 0; i < MACHINE_LOW_SIZE / (2 * SZ_1M) - 1; i++, leaf += 512)
		expect_as_slowly(page_of_leaf(leaf + 511), 2 * PAGE_SIZE);
	EXPECT(contiguous(0, 512));
	EXPECT(!contiguous(0, 513));
	EXPECT(!contiguous(511, 2));
}

static void make_hole(void)
{
	machine_make_hole(page_of_leaf(300));
}

static void make_hole_later(void)
{
	machine_interrupt = make_hole;
}

/* An entry changes after READING was stored, or after all entries were read. */
TEST(xen_leaf_changes_meanwhile)
{
	void (*when[])(void) = { make_hole, make_hole_later };
	unsigned long mfn, i;

	boot(FRAMES_OFFSET, "512");
	mfn = machine_frame_of(300);
	for (i = 0; i < ARRAY_SIZE(when); i++) {
		machine_interrupt = when[i];
		machine_ticks++;
		EXPECT(contiguous(0, 300));
		EXPECT(!machine_interrupt);
		EXPECT_EQ(xen_p2m_leaves[FIRST / LEAF], XEN_P2M_UNKNOWN);
		EXPECT(!contiguous(0, LEAF));
		EXPECT(!xen_p2m_remembered(FIRST, 301));
		machine_put_frame(page_of_leaf(300), mfn);
	}
}

static void ask_meanwhile(void)
{
	unsigned long i;

	/* The leaf that is being read, and one that cannot be read now */
	EXPECT(contiguous(0, 300));
	EXPECT(contiguous(LEAF, 300));
	EXPECT_EQ(xen_p2m_leaves[FIRST / LEAF], XEN_P2M_READING);
	EXPECT_EQ(xen_p2m_leaves[FIRST / LEAF + 1], XEN_P2M_UNKNOWN);
	for (i = 0; i < LEAF; i += GROUP)
		EXPECT(!xen_p2m_remembered(FIRST + i, 1));
}

static void change_and_ask_meanwhile(void)
{
	make_hole();
	EXPECT(!contiguous(0, LEAF));
	EXPECT_EQ(xen_p2m_leaves[FIRST / LEAF], XEN_P2M_UNKNOWN);
}

/* An interrupt on the CPU that is reading a leaf: there is one reader only. */
TEST(xen_leaf_one_reader)
{
	boot(FRAMES_OFFSET, "512");
	machine_interrupt = ask_meanwhile;
	EXPECT(contiguous(0, 2));
	EXPECT(xen_p2m_remembered(FIRST, LEAF));

	make_hole();
	machine_put_frame(page_of_leaf(300), machine_frame_of(0) + 300);
	machine_ticks++;
	machine_interrupt = change_and_ask_meanwhile;
	EXPECT(contiguous(0, 2));
	EXPECT_EQ(xen_p2m_leaves[FIRST / LEAF], XEN_P2M_UNKNOWN);
	EXPECT(!contiguous(0, LEAF));
}

static unsigned int readings;

static void count_reading(void)
{
	readings += xen_p2m_leaves[FIRST / LEAF] == XEN_P2M_READING;
}

/* However often a leaf changes, it is read a few times a tick, and not without need. */
TEST(xen_leaf_seldom_read)
{
	unsigned int i, tick;

	boot(FRAMES_OFFSET, "512");
	make_hole();
	for (tick = 0; tick < 5; tick++, machine_ticks++) {
		for (i = 0; i < 100; i++) {
			make_hole();
			xen_p2m_leaf_changed(FIRST);
			machine_interrupt = count_reading;
			EXPECT(!contiguous(0, LEAF));
		}
		EXPECT(readings <= 4 * (tick + 1));
		EXPECT(readings > tick);
	}
	learn_leaf();
	readings = 0;
	for (i = 0; i < 100; i++, machine_ticks++) {
		machine_interrupt = count_reading;
		EXPECT(!contiguous(0, LEAF));
	}
	EXPECT_EQ(readings, 0);
}

/* Random pages are asked about, changed, and asked about again. */
TEST_ALL_FRAMES(xen_leaves_at_random)
{
	u64 random = 31;
	unsigned long i, index, mfn;

	if (variant == FRAMES_NATIVE)
		return;
	boot(variant, "512");
	for (i = 0; i < 3000; i++) {
		index = machine_random(&random) % (MACHINE_LOW_SIZE / PAGE_SIZE / 2);
		if (i % 5 == 0) {
			mfn = machine_frame_of(index);
			machine_make_hole(machine_page_phys(index));
			expect_as_slowly_anywhere(&random, 5 * SZ_1M);
			if (i % 10 && mfn < 1UL << 21)
				machine_put_frame(machine_page_phys(index), mfn);
		}
		expect_as_slowly(machine_page_phys(index), 1 + machine_random(&random) % (4 * SZ_1M));
		expect_as_slowly_anywhere(&random, 128 * SZ_1K);
		machine_ticks += i % 3 == 0;
	}
}

/* Save and restore writes entries without calling xen_p2m_leaf_changed(). */
TEST(xen_leaves_forgotten)
{
	boot(FRAMES_OFFSET, "512");
	learn_leaf();
	xen_p2m_addr[FIRST + 100]++;
	xen_p2m_leaves_forget();
	EXPECT(!contiguous(0, LEAF));
	EXPECT(!contiguous(100, 2));
	EXPECT(contiguous(0, 100));
}

/* There is no memory for the words: a message, and all entries are read. */
TEST_ALL_FRAMES(xen_no_leaves)
{
	struct machine_config config = { .frames = variant };
	u64 random = 37;
	unsigned int i;

	if (variant == FRAMES_NATIVE)
		return;
	machine_power_on(&config);
	machine_fail_nth(FAIL_MEMBLOCK, 1);
	core_boot(&config);
	EXPECT(machine_said("no memory to remember"));
	EXPECT_EQ(xen_p2m_nr_leaves, 0);
	for (i = 0; i < 500; i++)
		expect_as_slowly_anywhere(&random, 5 * SZ_1M);
}

/* Pages that are contiguous but not aligned to their size are not coherent memory. */
TEST(xen_coherent_alignment)
{
	boot(FRAMES_OFFSET, "512");
	EXPECT(!xen_dma_coherent_ok(MACHINE_LOW_START, 8192));
	EXPECT(xen_dma_contiguous(MACHINE_LOW_START, 8192));
	/* Not aligned for the CPU, so need not be aligned for devices */
	EXPECT(xen_dma_coherent_ok(MACHINE_LOW_START + 4096, 8192));
}

/* A hypervisor with too little memory: a quarter of it stays free, with messages. */
TEST_ALL_FRAMES(xen_trimmed)
{
	struct machine_config config = { .frames = variant, .cpus = 8, .param = "4096,8" };
	struct buffer buffer;
	struct device dev;
	dma_addr_t dma[16];
	unsigned int i, n;

	/* Memory that is already contiguous is not exchanged. */
	if (variant == FRAMES_NATIVE || variant == FRAMES_BY_2M)
		return;
	for (n = 6; n <= 31; n++) {
		machine_power_on(&config);
		machine_set_param("swiotlb", config.param);
		machine_context("%u of 32 sets", n);
		/* Each set is tried with every number of address bits up to 32. */
		machine_limit_extents(n);
		core_boot(&config);
		EXPECT_EQ(mem->nslabs, (n - n / 4) * 128);
		EXPECT(machine_said("size adjusted 4096 -> "));
		EXPECT(machine_said("of bounce memory: the hypervisor has no more"));
		EXPECT_EQ(machine_extents_in_use(), (n - n / 4) * 64);
		EXPECT_EQ(mem->defpool->end - mem->defpool->start, (n - n / 4) * 262144);
		EXPECT_EQ(swiotlb_size_or_default(), (n - n / 4) * 262144);
		swiotlb_stop_growth();

		device_init(&dev, 32);
		buffer = buffer_alloc(262144, 0, __GFP_HIGHMEM);
		for (i = 0; i < 16 && i < n - n / 4; i++) {
			machine_set_cpu(i);
			dma[i] = map(&dev, &buffer, DMA_TO_DEVICE);
			EXPECT(dma[i] != DMA_MAPPING_ERROR);
		}
		machine_set_cpu(0);
		if (i < 16)
			EXPECT(map(&dev, &buffer, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
		while (i--)
			unmap(&dev, dma[i], 262144, DMA_TO_DEVICE);
		contract_check_all_free(mem);
	}
}

/* Xen has less than 1 MiB: the guest boots without a pool, and prints an error. */
TEST(xen_nothing)
{
	struct machine_config config = { .frames = FRAMES_BY_PAGE, .param = "4096" };
	unsigned int n;

	for (n = 0; n < 4; n++) {
		machine_power_on(&config);
		machine_set_param("swiotlb", config.param);
		machine_limit_extents(n);
		core_boot(&config);
		EXPECT(!is_swiotlb_allocated());
		EXPECT(machine_said("no bounce memory"));
		EXPECT_EQ(machine_extents_in_use(), 0);
		EXPECT_EQ(machine_pages_in_use(), 0);
	}
	/* With 1 MiB it has the smallest pool. */
	machine_power_on(&config);
	machine_set_param("swiotlb", config.param);
	machine_limit_extents(4);
	core_boot(&config);
	EXPECT_EQ(mem->nslabs, 512);
}

/* The guest has too little memory for the default pool: half as much, and so on */
TEST(xen_less_memory)
{
	struct machine_config config = { .frames = FRAMES_BY_2M };

	machine_boot(&config);
	EXPECT(is_swiotlb_allocated());
	EXPECT(machine_said("no 65536 KiB of memory for bounce buffers"));
	EXPECT_EQ(mem->nslabs, 8192);
}

/* swiotlb=noforce on Xen */
TEST(xen_forbidden)
{
	boot(FRAMES_BY_PAGE, "512,noforce");
	EXPECT(!is_swiotlb_allocated());
	EXPECT(xen_dma_key);
}

/* A foreign page is bounced in both directions, wherever its frame is. */
TEST_ALL_FRAMES(xen_foreign_page)
{
	struct buffer buffer;
	struct device dev;
	dma_addr_t dma;
	u8 data[3000], seen[3000];

	if (variant == FRAMES_NATIVE)
		return;
	boot(variant, "512");
	device_init(&dev, 32);
	buffer = buffer_alloc(3000, 500, __GFP_HIGHMEM);
	machine_make_foreign(buffer.pages, PHYS_PFN(mem->defpool->start) + 1);
	dma = map(&dev, &buffer, DMA_BIDIRECTIONAL);
	EXPECT(dma != DMA_MAPPING_ERROR);
	memset(data, 'f', sizeof(data));
	EXPECT(machine_dma(&dev, dma, data, sizeof(data), true));
	unmap(&dev, dma, 3000, DMA_BIDIRECTIONAL);
	copy_out(seen, buffer.phys, sizeof(seen));
	EXPECT(!memcmp(seen, data, sizeof(data)));

	/* Mapped directly it is in no pool, though its pfn in its own domain is in ours. */
	EXPECT(!swiotlb_find_pool(&dev, dma_to_phys(&dev, dma_phys_to_machine(buffer.phys))));
	buffer_free(&buffer);
}
