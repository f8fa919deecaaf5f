// SPDX-License-Identifier: GPL-2.0
/*
 * The Xen backend: translation, contiguity, exchange, and a hypervisor that has little.
 */
#include "test.h"
#include <asm/dma-bus.h>

static struct io_tlb_mem *const mem = &io_tlb_default_mem;

/* Every page has a bus address, and back; another domain's frame is nobody's. */
TEST_ALL_FRAMES(xen_translation)
{
	phys_addr_t phys, bus, foreign;
	unsigned long i;

	boot(variant, "512");
	for (i = 0; i < MACHINE_PAGES; i++) {
		phys = machine_page_phys(i) + i % 4096;
		bus = dma_phys_to_bus(phys);
		EXPECT_EQ(bus, PFN_PHYS(machine_frame_of(i)) + i % 4096);
		EXPECT_EQ(dma_bus_to_phys(bus), phys);
	}
	if (variant == FRAMES_NATIVE)
		return;

	/* A granted page, which has the number of one of ours where it comes from */
	foreign = machine_page_phys(100);
	bus = dma_phys_to_bus(foreign);
	machine_make_foreign(foreign, PHYS_PFN(mem->defpool->start));
	EXPECT_EQ(dma_phys_to_bus(foreign), bus);
	EXPECT_EQ(dma_bus_to_phys(bus), DMA_PHYS_NONE);

	/* A page that was ballooned out, and MMIO */
	machine_make_hole(machine_page_phys(200));
	EXPECT_EQ(dma_phys_to_bus(machine_page_phys(200)), (phys_addr_t)DMA_MAPPING_ERROR);
	EXPECT_EQ(dma_phys_to_bus(0xfee00123), 0xfee00123);
	EXPECT_EQ(dma_bus_to_phys(PFN_PHYS(1UL << 30)), DMA_PHYS_NONE);
}

static bool slowly_contiguous(phys_addr_t phys, size_t size)
{
	u64 first = dma_phys_to_bus(phys);
	size_t i;

	for (i = 0; i < size; i++)
		if (dma_phys_to_bus(phys + i) != first + i)
			return false;
	return true;
}

/* Contiguity is what looking at each byte would say, with and without the table. */
TEST_ALL_FRAMES(xen_contiguity)
{
	u64 random = 29;
	unsigned int i;

	boot(variant, "512");
	for (i = 0; i < 600; i++) {
		unsigned long index = machine_random(&random) % (MACHINE_PAGES / 2);
		size_t size = 1 + machine_random(&random) % 20000;
		phys_addr_t phys = machine_page_phys(index) + machine_random(&random) % 4096;

		if (phys + size > MACHINE_LOW_START + MACHINE_LOW_SIZE)
			continue;
		machine_context("%#llx+%#zx", phys, size);
		EXPECT_EQ(dma_bus_contiguous(phys, size), slowly_contiguous(phys, size));
	}
	EXPECT(dma_bus_contiguous(DMA_PHYS_NONE, 100000));
	if (variant == FRAMES_NATIVE)
		return;
	machine_make_hole(machine_page_phys(7));
	EXPECT(!xen_dma_contiguous(machine_page_phys(7), 5000));
	EXPECT(!xen_dma_contiguous(machine_page_phys(6), 5000));
	/* A page of ours and a granted one whose frame follows */
	if (variant == FRAMES_IDENTITY) {
		EXPECT(xen_dma_contiguous(machine_page_phys(10), 8192));
		machine_make_foreign(machine_page_phys(11), 5);
		EXPECT(!xen_dma_contiguous(machine_page_phys(10), 8192));
	}
}

/* The table of the P2M answers for the pages it covers. */
TEST(xen_contiguity_by_table)
{
	struct machine_config config = { .frames = FRAMES_BY_2M };
	unsigned long first;

	machine_boot(&config);
	first = PHYS_PFN(MACHINE_LOW_START);
	/* As if the table started at page 0 of the address space, like the real one */
	xen_p2m_addr -= first;
	xen_p2m_size = first + 1000;
	EXPECT(xen_dma_contiguous(MACHINE_LOW_START, 512 * 4096));
	EXPECT(!xen_dma_contiguous(MACHINE_LOW_START, 513 * 4096));
	EXPECT(xen_dma_contiguous(MACHINE_LOW_START + 512 * 4096, 512 * 4096));
}

/* Coherent memory: exchanged where it has to be, aligned, below the limit; undone */
TEST_ALL_FRAMES(xen_exchange)
{
	static const size_t sizes[] = { 4096, 8192, 65536, 262144 };
	unsigned long extents;
	struct page *page;
	unsigned int i;
	u64 bus;

	if (variant == FRAMES_NATIVE)
		return;
	boot(variant, "512");
	extents = machine_extents_in_use();
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		page = alloc_pages(GFP_KERNEL, get_order(sizes[i]));
		EXPECT_EQ(xen_dma_make_contiguous(page, sizes[i], DMA_BIT_MASK(28), GFP_KERNEL), 0);
		bus = dma_phys_to_bus(page_to_phys(page));
		EXPECT(bus + sizes[i] <= 1 << 28);
		EXPECT_EQ(bus & (sizes[i] - 1), 0);
		EXPECT(xen_dma_coherent_ok(page_to_phys(page), sizes[i]));
		xen_dma_undo_contiguous(page, sizes[i]);
		EXPECT_EQ(machine_extents_in_use(), extents);
		xen_dma_undo_contiguous(page, sizes[i]);
		EXPECT_EQ(machine_extents_in_use(), extents);
		__free_pages(page, get_order(sizes[i]));
	}
	page = alloc_pages(GFP_KERNEL, 10);
	EXPECT_EQ(xen_dma_make_contiguous(page, 4 * SZ_1M, U64_MAX, GFP_ATOMIC), -ENOMEM);
	/* The lowest extent there is, and a limit one byte below its end */
	EXPECT_EQ(xen_dma_make_contiguous(page, 65536, U64_MAX, GFP_KERNEL), 0);
	bus = dma_phys_to_bus(page_to_phys(page));
	xen_dma_undo_contiguous(page, 65536);
	EXPECT_EQ(xen_dma_make_contiguous(page, 65536, bus + 65536 - 2, GFP_KERNEL), -ENOMEM);
	EXPECT_EQ(xen_dma_make_contiguous(page, 4096, 0xfff, GFP_KERNEL), -ENOMEM);
	EXPECT_EQ(machine_extents_in_use(), extents);
	__free_pages(page, 10);
	EXPECT_EQ(xen_dma_max_bus(), (8ULL << 30) - 1);
}

/* Pages that are contiguous but not aligned to their size are not coherent memory. */
TEST(xen_coherent_alignment)
{
	boot(FRAMES_OFFSET, "512");
	EXPECT(!xen_dma_coherent_ok(MACHINE_LOW_START, 8192));
	EXPECT(xen_dma_contiguous(MACHINE_LOW_START, 8192));
	/* Aligned to their size for nobody */
	EXPECT(xen_dma_coherent_ok(MACHINE_LOW_START + 4096, 8192));
}

/* Each set is one extent, aligned, below 4 GiB; and the pool knows its highest. */
TEST_ALL_FRAMES(xen_sets)
{
	struct io_tlb_pool *pool;
	phys_addr_t highest = 0;
	unsigned int i;

	boot(variant, "2048");
	pool = mem->defpool;
	for (i = 0; i < 16; i++) {
		phys_addr_t bus = pool->sets[i].bus;

		EXPECT_EQ(bus, dma_phys_to_bus(slot_phys(pool, i * IO_TLB_SEGSIZE)));
		EXPECT(slowly_contiguous(slot_phys(pool, i * IO_TLB_SEGSIZE), IO_TLB_SET_BYTES));
		EXPECT_EQ(bus % IO_TLB_SET_BYTES, 0);
		EXPECT(bus + IO_TLB_SET_BYTES <= 1ULL << 32);
		highest = max(highest, bus + IO_TLB_SET_BYTES - 1);
	}
	EXPECT_EQ(swiotlb_highest_bus_address(), highest);
}

/* A hypervisor with too little: a quarter of what it has stays free, and one is told. */
TEST_ALL_FRAMES(xen_trimmed)
{
	struct machine_config config = { .frames = variant, .cpus = 8, .param = "4096,8" };
	struct buffer buffer;
	struct device dev;
	dma_addr_t dma[16];
	unsigned int i, n;

	if (variant == FRAMES_NATIVE)
		return;
	for (n = 6; n <= 31; n++) {
		machine_power_on(&config);
		machine_set_param("swiotlb", config.param);
		machine_context("%u of 32 sets", n);
		/* Each set is tried with every number of address bits up to 32. */
		machine_limit_extents(n);
		core_boot(&config);
		EXPECT_EQ(mem->nslabs, (n - n / 4) * 128);
		EXPECT(machine_said("slots only"));
		EXPECT(machine_said("of bounce memory: the hypervisor has no more"));
		EXPECT_EQ(machine_extents_in_use(), (n - n / 4) * 64);
		EXPECT_EQ(mem->defpool->end - mem->defpool->start, (n - n / 4) * 262144);
		EXPECT_EQ(swiotlb_size_or_default(), (n - n / 4) * 262144);
		mem->can_grow = false;

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

/* Not even a mebibyte: no pool, which the guest survives, and says. */
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
	/* With one it has the smallest pool. */
	machine_power_on(&config);
	machine_set_param("swiotlb", config.param);
	machine_limit_extents(4);
	core_boot(&config);
	EXPECT_EQ(mem->nslabs, 512);
}

/* The guest itself has no memory for the default pool: half of it, and so on */
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

/* A foreign page as the original: bounced and back, wherever its frame is */
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

	/* Mapped directly, its address is in no pool, though its number there is. */
	EXPECT(!swiotlb_find_pool(&dev, dma_to_phys(&dev, dma_phys_to_bus(buffer.phys))));
	buffer_free(&buffer);
}
