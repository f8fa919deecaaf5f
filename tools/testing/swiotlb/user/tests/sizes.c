// SPDX-License-Identifier: GPL-2.0
/*
 * The size that swiotlb_max_mapping_size() tells drivers, for dma-direct and dma-iommu. It
 * is never 0. A mapping of that size succeeds if the device reaches a free slot set. A
 * picture shows in which other cases it succeeds and in which not.
 */
#include "test.h"

static struct io_tlb_mem *const mem = &io_tlb_default_mem;

/* The base kernel tells this size, whatever pool there is. */
#define STOCK	IO_TLB_SET_BYTES

/**
 * struct state - a machine and the state of its pool
 * @name:	What the picture calls it.
 * @bytes:	Size of a pool in the middle of low memory. With 0 the size is that of the
 *		command line, or more if the areas need it.
 * @param:	Value of swiotlb=, without areas.
 * @frames:	That of &struct machine_config.
 * @no_pool:	The same.
 * @undecryptable: Memory is encrypted and cannot be decrypted.
 * @lost:	The guest has been restored, and there is no contiguous memory.
 */
struct state {
	const char *name;
	size_t bytes;
	const char *param;
	enum machine_frames frames;
	bool no_pool;
	bool undecryptable;
	bool lost;
};

static const struct state states[] = {
	{ .name = "none", .no_pool = true },
	{ .name = "noforce", .param = "512,noforce" },
	{ .name = "undecryptable", .undecryptable = true },
	{ .name = "lost", .frames = FRAMES_BY_PAGE, .lost = true },
	{ .name = "native", .bytes = SZ_1M / 2 },
	{ .name = "native", .bytes = SZ_1M },
	/* The largest piece of memory that the machine has */
	{ .name = "native", .bytes = 16 * SZ_1M },
	{ .name = "Xen", .param = "2048", .frames = FRAMES_BY_PAGE },
};

static const unsigned int areas[] = { 1, 8, 64, 256 };
static const unsigned int mask_bits[] = { 24, 28, 30, 32, 64 };
static const u64 bus_limits[] = { 0, 20 * SZ_1M - 1, 4 * SZ_1M - 1 };
static const unsigned int align_masks[] = { 0, 4095, 65535 };
/* 0 for a device that dma-direct serves */
static const unsigned int granules[] = { 0, 4096, 16384, 65536 };

enum { NO_RANGES, UPPER_HALF, FIRST_SETS, ELSEWHERE, NR_RANGES };

static struct bus_dma_region ranges[NR_RANGES][2];
static struct device dev, others;
static struct buffer buffer;
static unsigned int nr_cells, nr_served;

/* A pool in memory that not every device reaches */
static void make_pool(size_t bytes)
{
	void *buf;

	memblock_alloc_low(6 * SZ_1M, IO_TLB_SET_BYTES);
	buf = memblock_alloc_low(bytes, IO_TLB_SET_BYTES);
	EXPECT_EQ(swiotlb_init_buffer(buf, bytes, 0, NULL), bytes);
}

static void boot_state(const struct state *s, unsigned int nr_areas)
{
	struct machine_config config = {
		.frames = s->frames, .cpus = 64, .encrypted = s->undecryptable,
		.no_pool = s->no_pool, .seed = 1,
	};
	char param[40];

	machine_power_on(&config);
	machine_fail_all(FAIL_DECRYPT, s->undecryptable);
	snprintf(param, sizeof(param), "%s,%u", s->param ?: "512", nr_areas);
	machine_set_param("swiotlb", param);
	if (s->bytes)
		make_pool(s->bytes);
	else
		core_boot(&config);
	machine_run_initcalls();
	machine_fail_all(FAIL_DECRYPT, false);
	swiotlb_stop_growth();
	if (s->lost) {
		machine_restore();
		machine_limit_extents(0);
		swiotlb_reconnect();
	}
}

/* DMA ranges as of a host bridge, which cover different parts of the pool */
static void set_ranges(void)
{
	struct io_tlb_pool *pool = mem->defpool;
	phys_addr_t start = pool ? pool->sets[0].maddr : 0;
	size_t size = pool ? pool->nslabs << IO_TLB_SHIFT : 0;

	memset(ranges, 0, sizeof(ranges));
	ranges[UPPER_HALF][0] =
		(struct bus_dma_region){ start + size / 2, 0x40000000 + size / 2, size / 2 };
	ranges[FIRST_SETS][0] = (struct bus_dma_region){ start, start, 300000 };
	ranges[ELSEWHERE][0] = (struct bus_dma_region){ 0x1000, 0x1000, 0x1000 };
}

/* --- dma-direct and dma-iommu --- */

static size_t told(unsigned int granule)
{
	dev.dma_iommu = granule;
	return swiotlb_max_mapping_size(&dev);
}

static phys_addr_t map_told(unsigned int granule, size_t size)
{
	dma_addr_t dma;
	phys_addr_t tlb;

	if (!granule) {
		dma = swiotlb_map(&dev, buffer.phys, size, DMA_TO_DEVICE, 0);
		if (dma == DMA_MAPPING_ERROR)
			return DMA_PHYS_NONE;
		contract_check(&dev, buffer.phys, size, 0, dma);
		return dma_to_phys(&dev, dma);
	}
	tlb = swiotlb_tbl_map_single(&dev, buffer.phys, size, granule - 1, DMA_TO_DEVICE, TBL_ATTRS(0));
	if (tlb == (phys_addr_t)DMA_MAPPING_ERROR)
		return DMA_PHYS_NONE;
	/* An IOMMU maps whole granules, and NVMe wants the offset in its page kept. */
	EXPECT_EQ((tlb - (buffer.phys & dev.min_align_mask & (granule - 1))) % granule, 0);
	EXPECT_EQ((tlb ^ buffer.phys) & dev.min_align_mask, 0);
	return tlb;
}

/* --- the rule --- */

static bool is_reached(const struct io_tlb_set *set, unsigned int granule)
{
	const struct bus_dma_region *r = dev.dma_range_map;
	dma_addr_t dma = set->maddr;

	if (granule || set->maddr == (phys_addr_t)-1)
		return set->maddr != (phys_addr_t)-1;
	if (r && (set->maddr < r->cpu_start ||
		  set->maddr + IO_TLB_SET_BYTES > r->cpu_start + r->size))
		return false;
	if (r)
		dma = set->maddr - r->cpu_start + r->dma_start;
	return machine_reaches(&dev, dma, IO_TLB_SET_BYTES);
}

static bool is_free(const struct io_tlb_set *set)
{
	return set_nr_free(set) == IO_TLB_SEGSIZE;
}

/* How many slot sets does the device reach? With @free_only, count only free ones. */
static unsigned int sets_reached(unsigned int granule, bool free_only)
{
	struct io_tlb_pool *pool = mem->defpool;
	unsigned int nr = 0;
	unsigned long i;

	for (i = 0; pool && i < pool->nslabs / IO_TLB_SEGSIZE; i++)
		if (is_reached(&pool->sets[i], granule) &&
		    (!free_only || is_free(&pool->sets[i])))
			nr++;
	return nr;
}

/* The base kernel's size, or a part of it if fewer than 128 sets are reached; less padding */
static size_t to_be_told(unsigned int granule)
{
	size_t padding = ALIGN(dev.min_align_mask, IO_TLB_SIZE);
	unsigned int nr = sets_reached(granule, false);
	size_t size = nr && nr < 128 ? nr * STOCK / 128 & PAGE_MASK : STOCK;

	return max(size, padding + PAGE_SIZE) - padding;
}

/* '.' if a mapping of the size succeeds, 'o' if it fails and is allowed to */
static char cell(unsigned int granule)
{
	size_t size = told(granule);
	phys_addr_t tlb;

	nr_cells++;
	EXPECT(size >= PAGE_SIZE && size <= STOCK);
	EXPECT_EQ(size, to_be_told(granule));
	machine_forget_messages();
	tlb = map_told(granule, size);
	if (tlb != DMA_PHYS_NONE) {
		swiotlb_tbl_unmap_single(&dev, tlb, size, DMA_TO_DEVICE, 0);
		nr_served++;
		return '.';
	}
	EXPECT(!sets_reached(granule, true));
	EXPECT_EQ(machine_messages(), 1);
	return 'o';
}

/* The letter for all paddings, which mostly are the same; '+' if they differ */
static char cell_all_paddings(bool iommu)
{
	char first = 0, one;
	unsigned int a, g;

	for (a = 0; a < ARRAY_SIZE(align_masks); a++) {
		for (g = iommu; g < (iommu ? ARRAY_SIZE(granules) : 1); g++) {
			dev.min_align_mask = align_masks[a];
			one = cell(granules[g]);
			if (!first)
				first = one;
			if (one != first)
				return '+';
		}
	}
	return first;
}

/* --- the picture --- */

/* A letter for each mask; a word for each bus limit and each kind of ranges */
static void draw(char *at)
{
	unsigned int r, b, m;
	bool iommu = true;
	char seen = 0;

	for (r = 0; r < NR_RANGES; r++) {
		for (b = 0; b < ARRAY_SIZE(bus_limits); b++) {
			for (m = 0; m < ARRAY_SIZE(mask_bits); m++) {
				machine_context("ranges %u, bus limit %u, %u bits", r, b,
						mask_bits[m]);
				*dev.dma_mask = DMA_BIT_MASK(mask_bits[m]);
				dev.bus_dma_limit = bus_limits[b];
				dev.dma_range_map = r ? ranges[r] : NULL;
				*at++ = cell_all_paddings(false);
				seen = seen ?: cell_all_paddings(iommu);
				/* Nothing of this matters behind an IOMMU. */
				EXPECT_EQ(cell_all_paddings(iommu), seen);
			}
			*at++ = ' ';
		}
	}
	sprintf(at, "| %c", seen);
}

static dma_addr_t small[64];

/* Map 64 bytes on each CPU that has an area of its own. */
static unsigned int map_small(void)
{
	unsigned int i, nr = mem->defpool ? min(mem->defpool->nareas, 64U) : 0;

	for (i = 0; i < nr; i++) {
		machine_set_cpu(i);
		small[i] = swiotlb_map(&others, buffer.phys, 64, DMA_TO_DEVICE, 0);
		EXPECT(small[i] != DMA_MAPPING_ERROR || mem->defpool->maddr_max == -1ULL);
	}
	machine_set_cpu(0);
	return nr;
}

static void unmap_small(unsigned int nr)
{
	while (nr--)
		if (small[nr] != DMA_MAPPING_ERROR)
			unmap(&others, small[nr], 64, DMA_TO_DEVICE);
}

/**
 * struct line - a line of the picture
 * @what:	State, size of the pool, whether there is a mapping in every set.
 * @cells:	Each kind of ranges has a group of words, each bus limit a word in it, each
 *		mask a letter in the word. The letter behind the bar is for an IOMMU.
 * @seen:	It has been drawn.
 */
static struct line {
	const char *what;
	const char *cells;
	bool seen;
} picture[] = {
	{ "none, 0 KiB",
	  "ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo | o" },
	{ "noforce, 0 KiB",
	  "ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo | o" },
	{ "undecryptable, 0 KiB",
	  "ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo | o" },
	{ "lost, 1024 KiB",
	  "ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo | o" },
	{ "lost, 2048 KiB",
	  "ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo | o" },
	{ "lost, 16384 KiB",
	  "ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo ooooo | o" },
	{ "native, 512 KiB",
	  "o.... ooooo ooooo ooo.. ooooo ooooo o.... ooooo ooooo ooooo ooooo ooooo | ." },
	{ "native, 512 KiB, every set in use",
	  "o.... ooooo ooooo ooo.. ooooo ooooo o.... ooooo ooooo ooooo ooooo ooooo | ." },
	{ "native, 1024 KiB",
	  "o.... ooooo ooooo ooo.. ooooo ooooo o.... ooooo ooooo ooooo ooooo ooooo | ." },
	{ "native, 1024 KiB, every set in use",
	  "o.... ooooo ooooo ooo.. ooooo ooooo o.... ooooo ooooo ooooo ooooo ooooo | ." },
	{ "native, 16384 KiB",
	  "..... ..... ooooo ooo.. ooooo ooooo ..... ..... ooooo ooooo ooooo ooooo | ." },
	{ "native, 16384 KiB, every set in use",
	  "..... ..... ooooo ooo.. ooooo ooooo ..... ..... ooooo ooooo ooooo ooooo | ." },
	{ "Xen, 4096 KiB",
	  "o.... ooooo ooooo ooooo ooooo ooooo o.... ooooo ooooo ooooo ooooo ooooo | ." },
	{ "Xen, 16384 KiB",
	  "..... ..... ..... ooooo ooooo ooooo o.... ooooo ooooo ooooo ooooo ooooo | ." },
	{ "Xen, 16384 KiB, every set in use",
	  "..... ..... ..... ooooo ooooo ooooo o.... ooooo ooooo ooooo ooooo ooooo | ." },
};

static void check_line(const char *what, const char *cells)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(picture); i++) {
		if (strcmp(what, picture[i].what))
			continue;
		if (strcmp(cells, picture[i].cells))
			machine_fail("%s: the picture has changed, see above", what);
		picture[i].seen = true;
		return;
	}
	machine_fail("%s: not in the picture", what);
}

/* Draw a state, with nothing else in use and with a small mapping on each CPU. */
static void check_state(const struct state *s, unsigned int nr_areas)
{
	unsigned int in_use, nr = 0;
	bool full;
	char what[60], cells[100];

	boot_state(s, nr_areas);
	device_init(&dev, 64);
	device_init(&others, 64);
	set_ranges();
	buffer = buffer_alloc(STOCK, 0xfff, __GFP_HIGHMEM);
	for (in_use = 0; in_use < 2; in_use++) {
		if (in_use)
			nr = map_small();
		full = mem->nslabs && !s->lost && !sets_reached(1, true);
		snprintf(what, sizeof(what), "%s, %lu KiB%s", s->name, mem->nslabs * 2,
			 full ? ", every set in use" : "");
		draw(cells);
		printf("# %s: %s\n", what, cells);
		check_line(what, cells);
	}
	unmap_small(nr);
	buffer_free(&buffer);
}

/* Every state with every number of areas, for every device */
TEST(sizes_table)
{
	unsigned int s, a;

	for (s = 0; s < ARRAY_SIZE(states); s++)
		for (a = 0; a < ARRAY_SIZE(areas); a++)
			check_state(&states[s], areas[a]);
	for (s = 0; s < ARRAY_SIZE(picture); s++)
		EXPECT(picture[s].seen);
	printf("# %u of %u mappings succeed\n", nr_served, nr_cells);
}

/* --- a small pool that several devices share --- */

/*
 * Allocations that drivers keep in a restricted pool, in pages: NVMe's queues on two CPUs,
 * and AHCI's command tables of six ports.
 */
static const unsigned int nvme_pages[] = { 1, 1, 16, 4, 16, 4 };
static const unsigned int ahci_pages[] = { 23, 23, 23, 23, 23, 23 };

/* Slots of a network card's receive ring. The driver takes as many as it gets. */
#define RING	256

static struct reserved_mem rmem;
static dma_addr_t ring[RING], requests[32];

static void boot_restricted(size_t size)
{
	struct machine_config config = { .param = "512" };

	machine_boot(&config);
	rmem = (struct reserved_mem){
		.name = "restricted", .base = machine_alloc(size, __GFP_DMA32), .size = size,
	};
	EXPECT_EQ(machine_setup_reserved(&rmem, "restricted-dma-pool", NULL), 0);
	device_init(&dev, 64);
	EXPECT_EQ(rmem.ops->device_init(&rmem, &dev), 0);
}

/* Allocate like a driver's probe. Returns whether all allocations succeeded. */
static bool probe(const unsigned int *pages, unsigned int nr, struct page **got)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		got[i] = swiotlb_alloc(&dev, pages[i] * PAGE_SIZE, machine_alloc_attrs());
		if (!got[i])
			break;
	}
	if (i == nr)
		return true;
	while (i--)
		EXPECT(swiotlb_free(&dev, got[i], pages[i] * PAGE_SIZE));
	return false;
}

static void remove_driver(const unsigned int *pages, unsigned int nr, struct page **got)
{
	while (nr--)
		EXPECT(swiotlb_free(&dev, got[nr], pages[nr] * PAGE_SIZE));
}

/* How many requests of the size that is told can be mapped at the same time, up to 32 */
static unsigned int in_flight(void)
{
	struct buffer request = buffer;
	unsigned int nr;

	request.size = swiotlb_max_mapping_size(&dev);
	nr = map_up_to(&dev, &request, requests, ARRAY_SIZE(requests), DMA_TO_DEVICE);
	unmap_all(&dev, &request, requests, nr, DMA_TO_DEVICE);
	return nr;
}

/*
 * For four pools: which drivers get their memory, and how many requests of a disk have room.
 * NVMe can work with one, because it waits until another request ends. AHCI needs room for
 * 32, because it takes a mapping that fails for an error of the device. No size helps if the
 * ring takes all that is left.
 */
static const char *const small_pools[] = { "512K", "1M", "2M", "4M", NULL };

TEST_VARIANTS(sizes_small_pool, small_pools)
{
	static const struct expected {
		size_t bytes;
		bool nvme, ahci;
		size_t told;
		unsigned int requests, beside_ring;
	} pools[] = {
		{ SZ_1M / 2, true, false, 4096, 32, 0 },
		{ SZ_1M, true, true, 8192, 32, 0 },
		{ 2 * SZ_1M, true, true, 16384, 32, 32 },
		{ 4 * SZ_1M, true, true, 32768, 32, 32 },
	};
	struct page *nvme[ARRAY_SIZE(nvme_pages)], *ahci[ARRAY_SIZE(ahci_pages)];
	const struct expected *e = &pools[variant];
	struct buffer packet;
	bool has_nvme, has_ahci;
	unsigned int nr;

	boot_restricted(e->bytes);
	buffer = buffer_alloc(STOCK, 0, __GFP_HIGHMEM);
	has_nvme = probe(nvme_pages, ARRAY_SIZE(nvme_pages), nvme);
	has_ahci = probe(ahci_pages, ARRAY_SIZE(ahci_pages), ahci);
	EXPECT_EQ(has_nvme, e->nvme);
	EXPECT_EQ(has_ahci, e->ahci);
	EXPECT_EQ(swiotlb_max_mapping_size(&dev), e->told);
	EXPECT_EQ(in_flight(), e->requests);
	packet = buffer;
	packet.size = 1522;
	nr = map_up_to(&dev, &packet, ring, RING, DMA_TO_DEVICE);
	EXPECT_EQ(in_flight(), e->beside_ring);
	unmap_all(&dev, &packet, ring, nr, DMA_TO_DEVICE);
	if (has_nvme)
		remove_driver(nvme_pages, ARRAY_SIZE(nvme_pages), nvme);
	if (has_ahci)
		remove_driver(ahci_pages, ARRAY_SIZE(ahci_pages), ahci);
	contract_check_all_free(dev.dma_io_tlb_mem);
	buffer_free(&buffer);
}
