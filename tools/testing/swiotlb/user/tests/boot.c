// SPDX-License-Identifier: GPL-2.0
/*
 * Set-up of the default software IO TLB: boot parameters, sizes, shortage of memory,
 * late set-up, and tear-down.
 */
#include "test.h"

static struct io_tlb_mem *const mem = &io_tlb_default_mem;

/* The effect of each value of swiotlb=, and the message about it */
TEST(boot_param)
{
	static const struct {
		const char *text, *said;
		unsigned long nslabs;
		unsigned int nareas;
		bool force;
	} cases[] = {
		{ "1024",		NULL,		1024,	1, false },
		{ "1000",		NULL,		1024,	1, false },
		{ "1",			NULL,		128,	1, false },
		{ "0x400",		NULL,		1024,	1, false },
		{ "1024,4",		"area num 4",	1024,	4, false },
		{ "1024,3",		"area num 4",	1024,	4, false },
		{ "1024,0",		"area num 1",	1024,	1, false },
		{ "1025,2",		"roundup to",	2048,	2, false },
		{ "128,8",		"roundup to",	1024,	8, false },
		{ "1024,force",		NULL,		1024,	1, true },
		{ "1024,2,force",	NULL,		1024,	2, true },
		{ "force,1024",		"area num 1024", 0,	0, true },
		{ "1024,",		NULL,		1024,	1, false },
		{ "1024,2,",		NULL,		1024,	2, false },
		{ "1024,2,junk",	"\"junk\" ignored", 1024, 2, false },
		{ "1024,2,3",		"\"3\" ignored", 1024,	2, false },
		{ "junk,2",		"\"junk\" ignored", 0,	2, false },
		{ "-1",			"\"-1\" ignored", 0,	1, false },
		{ "0",			"number of slots must be 1 to", 0, 1, false },
		{ "99999999999999999999", "ignored",	0,	1, false },
		{ "1024,999999",	"number of areas must not be above", 1024, 1, false },
		{ "",			NULL,		0,	1, false },
	};
	struct machine_config config = { };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		machine_power_on(&config);
		machine_context("swiotlb=%s", cases[i].text);
		machine_set_param("swiotlb", cases[i].text);
		if (!strstr(cases[i].text, "force,"))
			EXPECT_EQ(swiotlb_boot_size(true) >> IO_TLB_SHIFT,
				  cases[i].nslabs ?: IO_TLB_DEFAULT_SIZE >> IO_TLB_SHIFT);
		if (cases[i].nareas)
			EXPECT_EQ(swiotlb_default_areas(), cases[i].nareas);
		EXPECT_EQ(mem->force_bounce || cases[i].nareas == 0, cases[i].force);
		if (cases[i].said)
			EXPECT(machine_said(cases[i].said));
		else
			EXPECT(!machine_said("swiotlb="));
	}
	machine_power_on(&config);
}

/* The largest number of slots is accepted, and no calculation with it overflows. */
TEST(boot_param_extremes)
{
	struct machine_config config = { };
	unsigned long most = rounddown_pow_of_two(ULONG_MAX >> IO_TLB_SHIFT) / 2;
	char text[64];

	machine_power_on(&config);
	snprintf(text, sizeof(text), "%lu", most);
	machine_set_param("swiotlb", text);
	EXPECT(!machine_said("must be"));
	EXPECT_EQ(swiotlb_size_or_default(), most << IO_TLB_SHIFT);
	EXPECT_EQ(swiotlb_boot_size(true) >> IO_TLB_SHIFT, most);

	machine_power_on(&config);
	snprintf(text, sizeof(text), "%lu", most + 1);
	machine_set_param("swiotlb", text);
	EXPECT(machine_said("number of slots must be 1 to"));
	EXPECT_EQ(swiotlb_size_or_default(), IO_TLB_DEFAULT_SIZE);
}

/* There is a pool if it is needed or forced, but not if it is forbidden. */
TEST(boot_or_not)
{
	struct machine_config config = { };

	machine_power_on(&config);
	swiotlb_init(false, 0);
	EXPECT(!is_swiotlb_allocated());

	machine_power_on(&config);
	machine_set_param("swiotlb", "512,force");
	swiotlb_init(false, SWIOTLB_VERBOSE);
	EXPECT(is_swiotlb_allocated() && mem->force_bounce);
	EXPECT(machine_said("mapped [mem"));

	machine_power_on(&config);
	machine_set_param("swiotlb", "512,noforce");
	swiotlb_init(true, 0);
	EXPECT(!is_swiotlb_allocated());
	swiotlb_print_info();
	EXPECT(machine_said("forbidden by swiotlb=noforce"));
	EXPECT_EQ(swiotlb_init_late(SZ_1M, GFP_KERNEL, NULL), 0);
	EXPECT(!is_swiotlb_allocated());

	machine_power_on(&config);
	swiotlb_print_info();
	EXPECT(machine_said("No low mem"));

	machine_power_on(&config);
	machine_set_param("swiotlb", "512,force");
	swiotlb_init(true, 0);
	EXPECT(mem->force_bounce);
	EXPECT(mem->defpool->end <= 1ULL << 32);
	EXPECT_EQ(default_swiotlb_limit(), ARCH_LOW_ADDRESS_LIMIT);
	EXPECT_EQ(default_swiotlb_base(), mem->defpool->start);
	EXPECT_EQ(default_swiotlb_limit(), ARCH_LOW_ADDRESS_LIMIT);
	swiotlb_stop_growth();
	EXPECT_EQ(default_swiotlb_limit(), mem->defpool->end - 1);

	machine_power_on(&config);
	machine_set_param("swiotlb", "512");
	swiotlb_init(true, SWIOTLB_ANY);
	EXPECT(mem->defpool->start >= 1ULL << 32);
	EXPECT_EQ(mem->defpool->maddr_max, mem->defpool->end - 1);
}

/* The architecture can choose a size, once. The command line takes precedence. */
TEST(boot_adjust_size)
{
	struct machine_config config = { };

	machine_power_on(&config);
	swiotlb_adjust_size(SZ_1M + 1);
	EXPECT_EQ(swiotlb_size_or_default(), SZ_1M + 262144);
	EXPECT(machine_said("adjusted to 1MB"));
	swiotlb_adjust_size(8 * SZ_1M);
	EXPECT_EQ(swiotlb_size_or_default(), SZ_1M + 262144);

	machine_power_on(&config);
	machine_set_param("swiotlb", "512");
	swiotlb_adjust_size(8 * SZ_1M);
	EXPECT_EQ(swiotlb_size_or_default(), SZ_1M);
}

/* The default of 64 MiB does not fit into this machine. It is halved until it fits. */
TEST(boot_halves)
{
	struct machine_config config = { };

	machine_power_on(&config);
	swiotlb_init(true, 0);
	EXPECT(machine_said("Failed to allocate 67108864 bytes"));
	EXPECT(machine_said("adjusted 32768 -> 8192 slabs"));
	EXPECT_EQ(mem->nslabs, 8192);
	EXPECT_EQ(swiotlb_size_or_default(), 16 * SZ_1M);
}

/* The buffer is not a multiple of a set. The caller keeps the rest. */
TEST(boot_odd_buffer)
{
	struct machine_config config = { };
	size_t used;
	void *buf;

	machine_power_on(&config);
	buf = memblock_alloc(5 * 262144 + 8192, PAGE_SIZE);
	used = swiotlb_init_buffer(buf, 5 * 262144 + 8192, 0, NULL);
	EXPECT_EQ(used, 5 * 262144);
	EXPECT_EQ(mem->nslabs, 640);
	swiotlb_exit();
	EXPECT_EQ(machine_pages_in_use(), 2);
}

/* There are more CPUs than sets. Each area has at least one set. */
TEST_ALL_FRAMES(boot_more_areas_than_sets)
{
	struct machine_config config = { .frames = variant, .cpus = 64 };
	struct buffer buffer;
	struct device dev;
	dma_addr_t dma;
	unsigned int cpu;

	machine_power_on(&config);
	machine_set_param("swiotlb", "512");
	EXPECT_EQ(swiotlb_limit_areas(64, 512), 4);
	EXPECT_EQ(swiotlb_limit_areas(64, 127), 1);
	EXPECT_EQ(swiotlb_limit_areas(4, 128 * 7), 4);
	core_boot(&config);
	/* The pool was made larger, so that each CPU has an area. */
	EXPECT_EQ(mem->nslabs, 64 * 128);
	device_init(&dev, 32);
	buffer = buffer_alloc(100, 0, __GFP_HIGHMEM);
	for (cpu = 0; cpu < 64; cpu += 7) {
		machine_set_cpu(cpu);
		dma = map(&dev, &buffer, DMA_TO_DEVICE);
		EXPECT(dma != DMA_MAPPING_ERROR);
		unmap(&dev, dma, 100, DMA_TO_DEVICE);
	}
	machine_set_cpu(0);
	buffer_free(&buffer);
}

/* Seven sets in four areas: the last area has one set, and no slot beyond it is used. */
TEST(boot_uneven_areas)
{
	struct machine_config config = { .cpus = 4 };
	struct buffer buffer;
	dma_addr_t dma[896];
	struct device dev;
	unsigned int i;
	void *buf;

	machine_power_on(&config);
	buf = memblock_alloc(7 * 262144, 262144);
	EXPECT_EQ(swiotlb_init_buffer(buf, 7 * 262144, 0, NULL), 7 * 262144);
	swiotlb_stop_growth();
	EXPECT_EQ(mem->defpool->areas[3].nr_sets, 1);
	device_init(&dev, 64);
	buffer = buffer_alloc(2048, 0, __GFP_HIGHMEM);
	for (i = 0; i < 896; i++) {
		machine_set_cpu(i % 4);
		dma[i] = map(&dev, &buffer, DMA_TO_DEVICE);
		EXPECT(dma[i] != DMA_MAPPING_ERROR);
	}
	EXPECT(map(&dev, &buffer, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
	for (i = 0; i < 896; i++)
		unmap(&dev, dma[i], 2048, DMA_TO_DEVICE);
	buffer_free(&buffer);
}

/* Late set-up takes memory from the page allocator: as much as there is in one piece. */
TEST(boot_late)
{
	struct machine_config config = { };
	struct buffer buffer;
	struct device dev;
	dma_addr_t dma;

	machine_power_on(&config);
	EXPECT_EQ(swiotlb_init_late(64 * SZ_1M, GFP_KERNEL | GFP_DMA32, NULL), 0);
	EXPECT(machine_said("only able to allocate 4 MB"));
	EXPECT_EQ(mem->nslabs, 2048);
	EXPECT(mem->defpool->late_alloc);
	EXPECT(mem->defpool->end <= 1ULL << 32);
	EXPECT_EQ(swiotlb_init_late(SZ_1M, GFP_KERNEL, NULL), 0);
	EXPECT_EQ(mem->nslabs, 2048);
	device_init(&dev, 32);
	buffer = buffer_alloc(5000, 10, __GFP_HIGHMEM);
	dma = map(&dev, &buffer, DMA_BIDIRECTIONAL);
	EXPECT(dma != DMA_MAPPING_ERROR);
	unmap(&dev, dma, 5000, DMA_BIDIRECTIONAL);
	buffer_free(&buffer);
	swiotlb_update_mem_attributes();
	EXPECT(mem->defpool);
	swiotlb_exit();
	EXPECT(machine_said("tearing down"));
	EXPECT_EQ(machine_pages_in_use(), 0);
	EXPECT_EQ(machine_objects_in_use(), 0);

	machine_power_on(&config);
	EXPECT_EQ(swiotlb_init_late(SZ_1M, GFP_KERNEL, NULL), 0);
	EXPECT(mem->growth->phys_limit >= 1ULL << 32);
	swiotlb_exit();

	machine_power_on(&config);
	EXPECT_EQ(swiotlb_init_late(SZ_1M, GFP_KERNEL | GFP_DMA, NULL), 0);
	EXPECT_EQ(mem->growth->phys_limit, DMA_BIT_MASK(24));
	EXPECT(mem->defpool->end <= 1 << 24);
	swiotlb_exit();
	EXPECT_EQ(machine_pages_in_use(), 0);
}

/* Late set-up on Xen: the backend makes the memory of the page allocator contiguous. */
TEST(boot_late_on_xen)
{
	struct machine_config config = { .frames = FRAMES_BY_PAGE };
	struct buffer buffer;
	struct device dev;
	dma_addr_t dma;

	machine_power_on(&config);
	xen_dma_init();
	EXPECT_EQ(swiotlb_init_late(SZ_1M, GFP_KERNEL, &xen_swiotlb_backend), 0);
	device_init(&dev, 32);
	buffer = buffer_alloc(50000, 10, __GFP_HIGHMEM);
	dma = map(&dev, &buffer, DMA_BIDIRECTIONAL);
	EXPECT(dma != DMA_MAPPING_ERROR);
	unmap(&dev, dma, 50000, DMA_BIDIRECTIONAL);
	buffer_free(&buffer);
	swiotlb_exit();
	EXPECT_EQ(machine_extents_in_use(), 0);
	EXPECT_EQ(machine_pages_in_use(), 0);
}

/* Everything that boot allocated is free again, unless bouncing is forced. */
TEST_ALL_FRAMES(boot_exit)
{
	boot(variant, "1024");
	EXPECT(machine_pages_in_use() > 512);
	swiotlb_exit();
	EXPECT(!is_swiotlb_allocated());
	EXPECT_EQ(machine_pages_in_use(), 0);
	EXPECT_EQ(machine_extents_in_use(), 0);
	swiotlb_exit();

	boot(variant, "1024,force");
	swiotlb_exit();
	EXPECT(is_swiotlb_allocated());
}

/* With encryption, the pool is decrypted as soon as that is possible, and nothing else is. */
TEST(boot_encrypted)
{
	struct machine_config config = { .encrypted = true, .param = "512" };
	unsigned long index;

	machine_boot(&config);
	index = machine_page_index(mem->defpool->start);
	EXPECT(machine_is_decrypted(index));
	EXPECT(machine_is_decrypted(index + 255));
	EXPECT(!machine_is_decrypted(index - 1));
	swiotlb_exit();
	EXPECT(!machine_is_decrypted(index));
	EXPECT_EQ(machine_pages_in_use(), 0);
}

/* The memory of the pool has been cleared. */
TEST_ALL_FRAMES(boot_pool_is_clear)
{
	struct machine_config config = { .frames = variant };
	u64 random = 1;
	u8 *byte;
	void *buf;

	machine_power_on(&config);
	machine_set_param("swiotlb", "512");
	buf = memblock_alloc(SZ_1M, PAGE_SIZE);
	fill_random(virt_to_phys(buf), SZ_1M, &random);
	memblock_free(buf, SZ_1M);
	core_boot(&config);
	for (byte = mem->defpool->vaddr; byte < (u8 *)mem->defpool->vaddr + SZ_1M; byte++)
		EXPECT(!*byte);
}

static struct device watched;
static unsigned int looks;

/* Called between stores of another CPU: if the pool is said to be active, it can be used. */
static void look(void)
{
	looks++;
	machine_interrupt = look;
	if (!is_swiotlb_active(&watched))
		return;
	EXPECT(io_tlb_default_mem.defpool);
	EXPECT(swiotlb_supports(&watched, DMA_BIT_MASK(64)));
}

/* While a pool is set up late, drivers may map: they see no pool, or one that they can use. */
TEST(boot_late_in_order)
{
	struct machine_config config = { .no_pool = true };

	machine_boot(&config);
	device_init(&watched, 64);
	machine_interrupt = look;
	EXPECT_EQ(swiotlb_init_late(SZ_1M, GFP_KERNEL | __GFP_DMA32, NULL), 0);
	machine_interrupt = NULL;
	EXPECT(looks >= 3);
	EXPECT(is_swiotlb_active(&watched));
	swiotlb_exit();
}

#ifdef MAPS_PHYS
/* The high-water mark is always kept; the word that asks for it is known. */
TEST(track_hiwater_is_known)
{
	boot(FRAMES_NATIVE, "512,4,force,track_hiwater");
	EXPECT(mem->force_bounce);
	boot(FRAMES_NATIVE, "track_hiwater");
	EXPECT(!machine_said("ignored"));
}
#endif

#ifdef SWIOTLB_FORCE
/* Older kernels force bounce buffers by a flag, too. */
TEST(boot_force_flag)
{
	struct machine_config config = { .param = "512" };

	machine_power_on(&config);
	swiotlb_init(true, SWIOTLB_FORCE);
	EXPECT(mem->force_bounce);
}
#endif
