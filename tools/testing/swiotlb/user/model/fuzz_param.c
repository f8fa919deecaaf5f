// SPDX-License-Identifier: GPL-2.0
/*
 * Entry for a fuzzer: the text of swiotlb= on the command line, and a boot with it.
 */
#include "fuzz.h"
#include "model.h"

/* What the words between the commas mean, according to the documentation only */
struct meaning {
	bool force;
	bool noforce;
	unsigned long slots;	/* 0 if that is not a plain decimal number */
};

static struct meaning meaning_of(const char *text)
{
	struct meaning m = { 0 };
	size_t len;

	len = strspn(text, "0123456789");
	if (len && len < 7 && *text != '0' && (!text[len] || text[len] == ','))
		m.slots = strtoul(text, NULL, 10);
	for (;; text += len + 1) {
		len = strcspn(text, ",");
		m.force |= len == 5 && !memcmp(text, "force", 5);
		m.noforce |= len == 7 && !memcmp(text, "noforce", 7);
		if (!text[len])
			return m;
	}
}

/* Check the sizes before boot, which may find less memory. */
static void check_sizes(unsigned long asked)
{
	unsigned long nslabs = swiotlb_default_nslabs(), areas = swiotlb_default_areas();

	if (!nslabs || nslabs % IO_TLB_SEGSIZE || nslabs << IO_TLB_SHIFT >> IO_TLB_SHIFT != nslabs)
		machine_fail("%lu slots", nslabs);
	if (swiotlb_size_or_default() != nslabs << IO_TLB_SHIFT)
		machine_fail("%lu bytes for %lu slots", swiotlb_size_or_default(), nslabs);
	/* If the text does not choose the number of areas, it may exceed that of sets. */
	if (!is_power_of_2(areas))
		machine_fail("%lu areas", areas);
	if (asked && (nslabs < asked ||
		      nslabs >= 2 * max(asked + IO_TLB_SEGSIZE, (areas + 1) * IO_TLB_SEGSIZE)))
		machine_fail("%lu slots, %lu were asked for", nslabs, asked);
}

static void check_pool(const struct io_tlb_pool *pool)
{
	unsigned int i, sets = 0;

	if (!pool->nslabs || pool->nslabs % IO_TLB_SEGSIZE)
		machine_fail("the pool has %lu slots", pool->nslabs);
	if (!is_power_of_2(pool->nareas) || pool->nareas > pool->nslabs / IO_TLB_SEGSIZE)
		machine_fail("%u areas for %lu slots", pool->nareas, pool->nslabs);
	for (i = 0; i < pool->nareas; i++) {
		if (pool->areas[i].nr_sets && pool->areas[i].first_set != sets)
			machine_fail("area %u is not behind the one before", i);
		sets += pool->areas[i].nr_sets;
	}
	if (sets != pool->nslabs / IO_TLB_SEGSIZE)
		machine_fail("%u sets are in areas", sets);
}

/* Map something in the area of the last CPU. */
static void check_map(unsigned int cpus)
{
	u64 mask = DMA_BIT_MASK(32);
	struct device dev;
	phys_addr_t orig = machine_alloc(PAGE_SIZE, __GFP_DMA32);
	dma_addr_t dma;

	/* The pool may have taken all memory. */
	if (orig == DMA_PHYS_NONE)
		return;
	machine_device_init(&dev, &mask);
	machine_set_cpu(cpus - 1);
	dma = swiotlb_map(&dev, orig, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);
	contract_check(&dev, orig, PAGE_SIZE, 0, dma);
	swiotlb_tbl_unmap_single(&dev, dma_to_phys(&dev, dma), PAGE_SIZE, DMA_BIDIRECTIONAL, 0);
}

int fuzz_one(const u8 *data, size_t size)
{
	struct machine_config config = { .cpus = 1 + size % 8 };
	struct meaning meaning;
	struct io_tlb_pool *pool;
	char text[256];

	size = min(size, sizeof(text) - 1);
	memcpy(text, data, size);
	text[size] = 0;
	meaning = meaning_of(text);

	machine_power_on(&config);
	machine_set_param("swiotlb", text);
	check_sizes(meaning.slots);
	core_boot(&config);
	machine_run_initcalls();

	pool = io_tlb_default_mem.defpool;
	if (meaning.noforce == !!pool)
		machine_fail("swiotlb=%s: there is %s pool", text, pool ? "a" : "no");
	if (pool && io_tlb_default_mem.force_bounce != meaning.force)
		machine_fail("swiotlb=%s: force is %d", text, io_tlb_default_mem.force_bounce);
	if (pool) {
		check_pool(pool);
		check_map(config.cpus);
		contract_check_all_free(&io_tlb_default_mem);
	}
	machine_shut_down();
	return 0;
}
