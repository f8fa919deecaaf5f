// SPDX-License-Identifier: GPL-2.0
/*
 * Which mapping has which slots, and where a mapping must be. The rules are those of
 * the documentation. The search for a place tries all places.
 */
#include "model.h"

/* For each slot of the machine's memory: a mapping has it. */
static bool taken[MACHINE_PAGES * 2];

void model_reset(void)
{
	memset(taken, 0, sizeof(taken));
	image_reset();
}

/* --- pools --- */

/* A slot set is contiguous for devices, within their reach, and shared with them. */
static void check_set(struct io_tlb_pool *pool, unsigned int i)
{
	size_t size = min(IO_TLB_SET_BYTES, (size_t)(pool->end - pool->start) -
			  i * IO_TLB_SET_BYTES);
	unsigned long page = machine_page_index(pool->start + i * IO_TLB_SET_BYTES);
	phys_addr_t maddr = pool->sets[i].maddr;
	unsigned long p;

	for (p = 0; p < PFN_UP(size); p++) {
		if (machine_frame_of(page + p) != PHYS_PFN(maddr) + p)
			machine_fail("page %lu of set %u has another frame", p, i);
		if (p < PHYS_PFN(size) && !machine_is_decrypted(page + p))
			machine_fail("page %lu of set %u is encrypted", p, i);
	}
	if (pool->backend && maddr + size - 1 > DMA_BIT_MASK(pool->maddr_bits))
		machine_fail("set %u is at %#llx", i, (unsigned long long)maddr);
}

/* The entry of a pool that has been freed, or a new one */
static struct model_pool *new_place(struct model_mem *mm)
{
	unsigned int i;

	for (i = 0; i < mm->nr_pools; i++)
		if (!mm->pools[i].pool)
			return &mm->pools[i];
	return &mm->pools[mm->nr_pools++];
}

static void add_pool(struct model_mem *mm, struct io_tlb_pool *pool)
{
	struct model_pool *mp = new_place(mm);
	unsigned int i, sets = DIV_ROUND_UP(pool->nslabs, IO_TLB_SEGSIZE);

	if (mm->nr_pools > MODEL_POOLS || pool->nslabs > MODEL_SLOTS)
		machine_fail("%u pools, the last with %lu slots", mm->nr_pools, pool->nslabs);
	if (pool->end - pool->start != (phys_addr_t)pool->nslabs << IO_TLB_SHIFT)
		machine_fail("a pool has %lu slots, but not the memory", pool->nslabs);
	memset(mp->used, 0, sizeof(mp->used));
	mp->idle = 0;
	mp->seen_used = false;
	mp->pool = pool;
	mp->start = pool->start;
	mp->nslots = pool->nslabs;
	mp->nareas = pool->nareas;
	if (!is_power_of_2(mp->nareas) || mp->nareas > MODEL_SETS)
		machine_fail("%u areas", mp->nareas);
	for (i = 0; i < mp->nareas; i++)
		mp->area_begin[i] = pool->areas[i].first_set * IO_TLB_SEGSIZE;
	mp->area_begin[i] = mp->nslots;
	for (i = 0; i < sets; i++) {
		check_set(pool, i);
		mp->maddr[i] = pool->sets[i].maddr;
	}
	image_take_cleared(mp->start, pool->end - pool->start);
}

static bool is_free(const struct model_pool *mp, unsigned int slot, unsigned int n)
{
	while (n--)
		if (mp->used[slot + n])
			return false;
	return true;
}

static bool is_in_table(struct model_mem *mm, const struct model_pool *mp)
{
	struct io_tlb_pool_table *table = mm->mem->pools;
	unsigned int i;

	for (i = 0; i < table->nr; i++)
		if (table->pools[i] == mp->pool)
			return true;
	return false;
}

/*
 * With a backend, a pool that has been seen in use must stay, unless another pool is as
 * low.
 */
static bool stays(struct model_mem *mm, const struct model_pool *mp)
{
	struct io_tlb_pool_table *table = mm->mem->pools;
	unsigned int i;

	if (!mp->pool->backend || !mp->seen_used)
		return false;
	for (i = 0; i < table->nr; i++)
		if (table->pools[i] != mp->pool &&
		    table->pools[i]->maddr_max <= DMA_BIT_MASK(mp->pool->maddr_bits))
			return false;
	return true;
}

/* Is there a pool that may be freed when it is idle? */
bool model_may_shrink(struct model_mem *mm)
{
	struct model_pool *mp;

	for (mp = mm->pools + 1; mp < mm->pools + mm->nr_pools; mp++)
		if (mp->pool && !stays(mm, mp))
			return true;
	return false;
}

/*
 * The software IO TLB has looked for idle pools. Those that were idle for the second time
 * must be gone, and no others. A pool may stay if there was no memory for another table.
 */
void model_shrink(struct model_mem *mm, bool may_stay)
{
	struct model_pool *mp;
	bool there;

	for (mp = mm->pools + 1; mp < mm->pools + mm->nr_pools; mp++) {
		if (!mp->pool)
			continue;
		mp->idle = is_free(mp, 0, mp->nslots) ? mp->idle + 1 : 0;
		mp->seen_used |= !mp->idle;
		there = is_in_table(mm, mp);
		if (!there && mp->idle < 2)
			machine_fail("a pool is gone that was not idle for long");
		if (there && mp->idle >= 2 && !may_stay && !stays(mm, mp))
			machine_fail("a pool stays that was idle %u times", mp->idle);
		if (!there) {
			mp->pool = NULL;
			mp->nslots = 0;
			mp->nareas = 0;
		}
	}
	model_find_new_pools(mm);
}

/* How many bytes of the default pool does the device reach? Counts whole slot sets. */
static size_t reached(struct model_mem *mm, struct device *dev)
{
	u64 limit = min_not_zero(*dev->dma_mask, dev->bus_dma_limit);
	const struct model_pool *mp = mm->pools;
	unsigned int slot, n;
	size_t bytes = 0;

	for (slot = 0; mm->nr_pools && slot < mp->nslots; slot += IO_TLB_SEGSIZE) {
		phys_addr_t maddr = mp->maddr[slot / IO_TLB_SEGSIZE], last;
		dma_addr_t dma = model_machine_to_dma(dev, maddr);

		n = min(mp->nslots - slot, (unsigned int)IO_TLB_SEGSIZE);
		last = maddr + n * IO_TLB_SIZE - 1;
		if (dma != DMA_MAPPING_ERROR && dma + (last - maddr) <= limit &&
		    model_machine_to_dma(dev, last) == dma + (last - maddr))
			bytes += n * IO_TLB_SIZE;
	}
	return bytes;
}

/* The size that a driver is told: a slot set, or a 128th of little memory; less padding */
size_t model_told(struct model_mem *mm, struct device *dev)
{
	size_t padding = DIV_ROUND_UP(dev->min_align_mask, IO_TLB_SIZE) * IO_TLB_SIZE;
	size_t bytes = reached(mm, dev), most = IO_TLB_SET_BYTES;

	if (bytes && bytes < 128 * IO_TLB_SET_BYTES)
		most = bytes / 128 & PAGE_MASK;
	return max(most, padding + PAGE_SIZE) - padding;
}

/* Find pools that were added. No pool may be missing, except those of model_shrink(). */
void model_find_new_pools(struct model_mem *mm)
{
	struct io_tlb_pool_table *table = mm->mem->pools;
	unsigned int i, known, nr = table ? table->nr : 0, alive = 0;
	unsigned long nslots = 0;

	for (i = 0; i < nr; i++) {
		for (known = 0; known < mm->nr_pools; known++)
			if (mm->pools[known].pool == table->pools[i])
				break;
		if (known == mm->nr_pools)
			add_pool(mm, table->pools[i]);
		nslots += table->pools[i]->nslabs;
		if (i && swiotlb_find_in_table(mm->mem, table->pools[i]->end - 1) != table->pools[i])
			machine_fail("pool %u is not found in the table", i);
	}
	for (i = 0; i < mm->nr_pools; i++)
		alive += !!mm->pools[i].pool;
	if (nr != alive)
		machine_fail("a pool is gone");
	if (nslots != mm->mem->nslabs)
		machine_fail("%lu slots are counted, %lu are there", mm->mem->nslabs, nslots);
}

void model_add_mem(struct model_mem *mm, struct io_tlb_mem *mem, const char *dir)
{
	mm->mem = mem;
	mm->dir = dir;
	mm->nr_pools = 0;
	mm->used = 0;
	mm->transient = 0;
	mm->peak = 0;
	mm->most = 0;
	model_find_new_pools(mm);
}

/* --- where a mapping may be --- */

/* The device's DMA address for a machine address, or %DMA_MAPPING_ERROR */
dma_addr_t model_machine_to_dma(struct device *dev, phys_addr_t maddr)
{
	const struct bus_dma_region *r = dev->dma_range_map;

	for (; r && r->size; r++)
		if (maddr >= r->cpu_start && maddr - r->cpu_start < r->size)
			return maddr - r->cpu_start + r->dma_start;
	return dev->dma_range_map ? DMA_MAPPING_ERROR : maddr;
}

void want_init(struct want *want, struct device *dev, phys_addr_t orig, size_t size,
	       unsigned int alloc_align_mask, u64 limit)
{
	u64 bytes;

	want->dev = dev;
	want->orig = orig;
	want->size = size;
	want->limit = limit;
	want->translated = false;

	/* Preserved address bits below the alignment of the allocation */
	want->offset = orig & dev->min_align_mask & (alloc_align_mask | (IO_TLB_SIZE - 1));
	bytes = ALIGN((u64)size + want->offset, (u64)alloc_align_mask + 1);
	want->nslots = 0;
	if (size && size <= IO_TLB_MAX_MAPPING)
		want->nslots = DIV_ROUND_UP(bytes, IO_TLB_SIZE);

	/* If no alignment is asked for, a mapping of a page or more starts at a page. */
	want->align_mask = alloc_align_mask | (IO_TLB_SIZE - 1);
	if (!alloc_align_mask && !dev->min_align_mask && size >= PAGE_SIZE)
		want->align_mask = PAGE_SIZE - 1;
}

/* The address that the device or its IOMMU has for a machine address */
static dma_addr_t seen_at(const struct want *want, phys_addr_t maddr)
{
	return want->translated ? maddr : model_machine_to_dma(want->dev, maddr);
}

/*
 * Can the device use an allocation at this offset of a set? If two of its ranges meet
 * within a set, only the first of them counts.
 */
static bool suits(const struct want *want, phys_addr_t set, size_t offset)
{
	struct device *dev = want->dev;
	size_t bytes = (size_t)want->nslots * IO_TLB_SIZE;
	dma_addr_t first = seen_at(want, set) + offset;
	dma_addr_t last = seen_at(want, set + offset + bytes - 1);
	u64 boundary = dev->segment_boundary;

	if (seen_at(want, set) == DMA_MAPPING_ERROR || last - first != bytes - 1)
		return false;
	if (first & want->align_mask)
		return false;
	if (((first + want->offset) ^ want->orig) & dev->min_align_mask)
		return false;
	if ((first & ~boundary) != (last & ~boundary))
		return false;
	return last >= first && last <= want->limit;
}

static bool is_span(const struct want *want)
{
	return want->nslots > IO_TLB_SEGSIZE;
}

static bool slot_fits(const struct model_pool *mp, const struct want *want, unsigned int slot)
{
	unsigned int in_set = slot % IO_TLB_SEGSIZE;

	return !mp->used[slot] && in_set + want->nslots <= IO_TLB_SEGSIZE &&
		slot + want->nslots <= mp->nslots &&
		suits(want, mp->maddr[slot / IO_TLB_SEGSIZE], in_set * IO_TLB_SIZE) &&
		is_free(mp, slot, want->nslots);
}

/* Are these sets contiguous by machine address and by DMA address? */
static bool sets_adjacent(const struct model_pool *mp, const struct want *want,
			  unsigned int first, unsigned int last)
{
	for (; first < last; first++)
		if (mp->maddr[first + 1] != mp->maddr[first] + IO_TLB_SET_BYTES ||
		    seen_at(want, mp->maddr[first + 1]) !=
		    seen_at(want, mp->maddr[first]) + IO_TLB_SET_BYTES)
			return false;
	return true;
}

static bool span_fits(const struct model_pool *mp, const struct want *want, unsigned int slot)
{
	unsigned int first = slot / IO_TLB_SEGSIZE;
	unsigned int last = (slot + want->nslots - 1) / IO_TLB_SEGSIZE;

	return slot + want->nslots <= mp->nslots &&
		suits(want, mp->maddr[first], slot % IO_TLB_SEGSIZE * IO_TLB_SIZE) &&
		sets_adjacent(mp, want, first, last) && is_free(mp, slot, want->nslots);
}

/* Is there room for a mapping of several sets? With DMA ranges the model cannot tell. */
static bool any_span_fits(struct model_mem *mm, const struct want *want)
{
	const struct model_pool *mp;
	unsigned int slot;

	if (want->dev->dma_range_map && !want->translated)
		return false;
	for (mp = mm->pools; mp < mm->pools + mm->nr_pools; mp++)
		for (slot = 0; slot + want->nslots <= mp->nslots; slot++)
			if (!mp->used[slot] && span_fits(mp, want, slot))
				return true;
	return false;
}

/* The lowest slot in an area that fits, or -1 */
static int lowest_fit(const struct model_pool *mp, const struct want *want, unsigned int area)
{
	unsigned int slot;

	for (slot = mp->area_begin[area]; slot < mp->area_begin[area + 1]; slot++)
		if (slot_fits(mp, want, slot))
			return slot;
	return -1;
}

static unsigned int area_of(const struct model_pool *mp, unsigned int slot)
{
	unsigned int area = 0;

	while (slot >= mp->area_begin[area + 1])
		area++;
	return area;
}

static unsigned int own_area(const struct model_pool *mp, unsigned int cpu)
{
	return cpu % mp->nareas;
}

/* Can the device use some place in an empty set? */
bool model_could_fit(const struct want *want)
{
	struct want unlimited = *want;
	unsigned int slot;

	unlimited.limit = U64_MAX;
	for (slot = 0; want->nslots && slot + want->nslots <= IO_TLB_SEGSIZE; slot++)
		if (suits(&unlimited, 1 << 30, slot * IO_TLB_SIZE))
			return true;
	return false;
}

/* Is there room in the CPU's own area of the first pool? */
bool model_own_area_fits(struct model_mem *mm, const struct want *want, unsigned int cpu)
{
	struct model_pool *mp = &mm->pools[0];

	return want->nslots && !is_span(want) && mm->nr_pools &&
		lowest_fit(mp, want, own_area(mp, cpu)) >= 0;
}

/* Is there room in any pool that exists? */
bool model_fits(struct model_mem *mm, const struct want *want)
{
	unsigned int i, area;

	if (!want->nslots)
		return false;
	if (is_span(want))
		return any_span_fits(mm, want);
	for (i = 0; i < mm->nr_pools; i++)
		for (area = 0; area < mm->pools[i].nareas; area++)
			if (lowest_fit(&mm->pools[i], want, area) >= 0)
				return true;
	return false;
}

/* --- a mapping comes and goes --- */

/* Find the memory by the DMA address, and check that no other mapping has it. */
static void take_memory(const struct mapping *map, bool take)
{
	struct device maddr_itself = { }, *dev = map->iommu ? &maddr_itself : map->want.dev;
	dma_addr_t dma = map->dma - map->want.offset;
	unsigned long memory;
	phys_addr_t phys;
	unsigned int i;

	for (i = 0; i < map->want.nslots; i++, dma += IO_TLB_SIZE) {
		phys = machine_dma_to_phys(dev, dma);
		if (phys != map->tlb - map->want.offset + i * IO_TLB_SIZE)
			machine_fail("slot %u of %#llx is elsewhere for the device", i,
				     (unsigned long long)map->dma);
		memory = machine_page_index(phys) * 2 + (offset_in_page(phys) >> IO_TLB_SHIFT);
		if (taken[memory] == take)
			machine_fail("%#llx is %s", (unsigned long long)dma,
				     take ? "another mapping's as well" : "not its mapping's");
		taken[memory] = take;
	}
}

static struct model_pool *pool_of(struct model_mem *mm, phys_addr_t phys)
{
	unsigned int i;

	for (i = 0; i < mm->nr_pools; i++)
		if (phys >= mm->pools[i].start &&
		    phys - mm->pools[i].start < (phys_addr_t)mm->pools[i].nslots << IO_TLB_SHIFT)
			return &mm->pools[i];
	return NULL;
}

/* The place must be the lowest in its area. If this CPU's area has room, it must be there. */
static void check_lowest(struct model_mem *mm, const struct mapping *map, unsigned int cpu)
{
	struct model_pool *mp = map->pool;
	unsigned int area = area_of(mp, map->slot);
	int lowest = lowest_fit(mp, &map->want, area);

	if (lowest != (int)map->slot)
		machine_fail("slot %u is taken, %d is lower", map->slot, lowest);
	if ((mp != mm->pools || area != own_area(mp, cpu)) &&
	    model_own_area_fits(mm, &map->want, cpu))
		machine_fail("area %u is used, and that of CPU %u has room", area, cpu);
}

static void place(struct model_mem *mm, struct mapping *map, unsigned int cpu)
{
	struct model_pool *mp = map->pool;
	phys_addr_t start = map->tlb - map->want.offset;

	map->slot = (start - mp->start) >> IO_TLB_SHIFT;
	if (offset_in_page(start) & (IO_TLB_SIZE - 1))
		machine_fail("%#llx is not where a slot starts", (unsigned long long)start);
	if (map->slot + map->want.nslots > mp->nslots)
		machine_fail("slot %u is too close to the end of the pool", map->slot);
	if (!is_free(mp, map->slot, map->want.nslots))
		machine_fail("slot %u is in use", map->slot);
	if (slot_fits(mp, &map->want, map->slot))
		check_lowest(mm, map, cpu);
	/* The place where it must start may leave too little of a set, so it uses two. */
	else if ((!is_span(&map->want) && model_fits(mm, &map->want)) ||
		 !span_fits(mp, &map->want, map->slot))
		machine_fail("slot %u is not for this device", map->slot);
	memset(&mp->used[map->slot], true, map->want.nslots);
	mm->used += map->want.nslots;
}

static void place_in_transient(struct model_mem *mm, struct mapping *map)
{
	struct io_tlb_pool *pool = __swiotlb_find_pool(map->want.dev, map->tlb);

	if (!pool || !pool->transient)
		machine_fail("%#llx is in no pool", (unsigned long long)map->tlb);
	if (model_fits(mm, &map->want))
		machine_fail("a transient pool is used, and there is room");
	map->transient = pool;
	mm->used += pool->nslabs;
	mm->transient += pool->nslabs;
	image_take_cleared(pool->start, map->tlb - pool->start);
	image_take_cleared(map->tlb + map->want.size,
			   pool->end - map->tlb - map->want.size);
}

/* A mapping was made: check its place, and record it. */
void model_map(struct model_mem *mm, struct mapping *map, unsigned int cpu)
{
	map->mem = mm;
	map->pool = pool_of(mm, map->tlb);
	map->transient = NULL;
	if (map->pool)
		place(mm, map, cpu);
	else
		place_in_transient(mm, map);
	mm->peak = max(mm->peak, mm->used);
	take_memory(map, true);
}

void model_unmap(struct mapping *map)
{
	struct model_mem *mm = map->mem;

	take_memory(map, false);
	if (map->pool) {
		memset(&map->pool->used[map->slot], false, map->want.nslots);
		mm->used -= map->want.nslots;
	} else {
		/* Readers may still look at the pool, so it has not been freed. */
		mm->used -= map->transient->nslabs;
		mm->transient -= map->transient->nslabs;
	}
}

/* An address in a slot that is free, or %DMA_PHYS_NONE */
phys_addr_t model_free_address(struct model_mem *mm, unsigned int choice)
{
	struct model_pool *mp;
	unsigned int i, slot;

	if (!mm->nr_pools)
		return DMA_PHYS_NONE;
	mp = &mm->pools[choice % mm->nr_pools];
	if (!mp->pool)
		mp = mm->pools;
	for (i = 0; i < mp->nslots; i++) {
		slot = (choice + i) % mp->nslots;
		if (!mp->used[slot])
			return mp->start + (phys_addr_t)slot * IO_TLB_SIZE +
				choice % IO_TLB_SIZE;
	}
	return DMA_PHYS_NONE;
}

/* --- counters and maps of the software IO TLB --- */

static u64 read_counter(struct model_mem *mm, const char *name)
{
	u64 value;

	if (!machine_read_counter(mm->dir, name, &value))
		machine_fail("there is no counter %s", name);
	return value;
}

static void check_counter(struct model_mem *mm, const char *name, u64 expected)
{
	u64 value = read_counter(mm, name);

	if (value != expected)
		machine_fail("%s is %llu, expected %llu", name, (unsigned long long)value,
			     (unsigned long long)expected);
}

/* The mark may be too high by a sixteenth of all slots, and by two slots for each pool. */
static void check_hiwater(struct model_mem *mm)
{
	u64 value = read_counter(mm, "io_tlb_used_hiwater");

	mm->most = max(mm->most, mm->mem->nslabs);
	if (value < mm->peak || value > mm->peak + mm->most / 16 + 2 * mm->nr_pools)
		machine_fail("the high-water mark is %llu, %lu slots were in use",
			     (unsigned long long)value, mm->peak);
}

void model_check_counters(struct model_mem *mm)
{
	if (!mm->nr_pools)
		return;
	check_counter(mm, "io_tlb_used", mm->used);
	check_hiwater(mm);
	check_counter(mm, "io_tlb_transient_nslabs", mm->transient);
}

/* Do model and pool agree on which slots are free? Checks @nr slots from @slot on. */
void model_check_slots(struct model_pool *mp, unsigned int slot, unsigned int nr)
{
	unsigned int end = min(slot + nr, mp->nslots);

	for (; slot < end; slot++) {
		const struct io_tlb_set *set = &mp->pool->sets[slot / IO_TLB_SEGSIZE];
		bool is_free = set_is_free(set, slot % IO_TLB_SEGSIZE);

		if (is_free == mp->used[slot])
			machine_fail("slot %u is %s", slot, is_free ? "free, and mapped" : "lost");
	}
}
