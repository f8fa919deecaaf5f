// SPDX-License-Identifier: GPL-2.0
/*
 * The machine that a sequence runs on, from boot to the end. Nothing may be lost
 * then.
 */
#include "world.h"

#define NOISE_SIZE	(2 * ARENA_SIZE)
#define GLANCE		((size_t)8 << 10)	/* bytes to be looked at each time */
#define RESTRICTED	"restricted"

struct world world;

/* @size random bytes, at most %ARENA_SIZE */
const u8 *noise(unsigned int choice, size_t size)
{
	static u64 bytes[NOISE_SIZE / sizeof(u64)];
	static u64 random;
	unsigned int i;

	for (i = 0; !random || i % ARRAY_SIZE(bytes); i++)
		bytes[i] = machine_random(&random);
	return (u8 *)bytes + (choice * 2654435761U >> 8) % (NOISE_SIZE - size);
}

/* --- boot --- */

static void add_arena(unsigned int i, gfp_t gfp, u64 seed)
{
	u8 *memory;

	world.arena[i] = machine_alloc(ARENA_SIZE, gfp);
	if (world.arena[i] == DMA_PHYS_NONE)
		machine_fail("no memory for original buffers");
	memory = machine_memory(world.arena[i]);
	memcpy(memory, noise(seed + i, ARENA_SIZE), ARENA_SIZE);
	image_take(world.arena[i], ARENA_SIZE);
}

static void add_device(unsigned int i, const struct step *step)
{
	struct device *dev = &world.dev[i];
	struct device_choice choice;

	device_of(step, &choice);
	world.mask[i] = DMA_BIT_MASK(choice.mask_bits);
	machine_device_init(dev, &world.mask[i]);
	dev->min_align_mask = choice.min_align_mask;
	dev->segment_boundary = choice.boundary;
	dev->bus_dma_limit = choice.bus_dma_limit;
	dev->dma_skip_sync = true;
	memcpy(world.range_map[i], choice.range_map, sizeof(choice.range_map));
	if (choice.range_map[0].size)
		dev->dma_range_map = world.range_map[i];
}

/* A restricted pool, not aligned to anything but pages, for the last device */
static void add_restricted(size_t size, u64 seed)
{
	struct device *dev = &world.dev[NR_DEVICES - 1];
	phys_addr_t base = machine_alloc(size + (seed % 64) * PAGE_SIZE, __GFP_DMA32);

	world.rmem = (struct reserved_mem){ .name = RESTRICTED };
	if (!size || base == DMA_PHYS_NONE)
		return;
	/* The pages before it stay in use. */
	world.rmem.base = base + (seed % 64) * PAGE_SIZE;
	world.rmem.size = size;
	if (machine_setup_reserved(&world.rmem, "restricted-dma-pool", NULL) ||
	    world.rmem.ops->device_init(&world.rmem, dev))
		machine_fail("no restricted pool");
	model_add_mem(&world.mem[1], dev->dma_io_tlb_mem, RESTRICTED);
}

void world_begin(const struct step *header)
{
	struct machine_choice choice;
	unsigned int i;

	machine_of(header, &choice);
	machine_power_on(&choice.config);
	if (choice.fail_nth)
		machine_fail_nth(choice.fail, choice.fail_nth);
	machine_set_param("swiotlb", choice.config.param);
	core_boot(&choice.config);
	machine_run_initcalls();
	machine_fail_nth(choice.fail, 0);

	world.nr_maps = 0;
	world.cpu = 0;
	world.growth = 0;
	world.growth_due = false;
	world.may_leak = choice.fail_nth && choice.fail == FAIL_ENCRYPT;
	world.mem[1].nr_pools = 0;
	memset(world.fail_nth, 0, sizeof(world.fail_nth));
	memset(world.foreign, 0, sizeof(world.foreign));
	model_reset();
	model_add_mem(&world.mem[0], &io_tlb_default_mem, "swiotlb");
	add_arena(0, __GFP_HIGHMEM, choice.config.seed);
	add_arena(1, __GFP_DMA32, choice.config.seed);
	for (i = 0; i < NR_DEVICES; i++)
		add_device(i, &header[1 + i]);
	world.objects = machine_objects_in_use();
	add_restricted(choice.restricted_size, choice.config.seed);
	world.pages = machine_pages_in_use();
	world.extents = machine_extents_in_use();
}

/* --- checks --- */

static void glance(phys_addr_t start, size_t size)
{
	size_t offset = world.looked_at * GLANCE % size;

	image_check(start + offset, min(GLANCE, size - offset));
}

static void glance_at_mem(struct model_mem *mm)
{
	struct model_pool *mp;

	if (!mm->nr_pools)
		return;
	model_check_counters(mm);
	mp = &mm->pools[world.looked_at % mm->nr_pools];
	if (!mp->pool)
		return;
	glance(mp->start, (size_t)mp->nslots * IO_TLB_SIZE);
	model_check_slots(mp, world.looked_at * 256 % mp->nslots, 256);
}

/* After each step: the counters, and one piece after the other of everything else */
void world_look_around(void)
{
	machine_no_surprises();
	world.looked_at++;
	glance_at_mem(&world.mem[0]);
	glance_at_mem(&world.mem[1]);
	glance(world.arena[world.looked_at & 1], ARENA_SIZE);
}

/* Check a part of a range, and up to @margin more bytes of the range on both sides. */
static void look_at_part(phys_addr_t start, size_t whole, phys_addr_t phys, size_t size,
			 size_t margin)
{
	size_t from = phys - start, end = min(from + size + margin, whole);

	from -= min(from, margin);
	image_check(start + from, end - from);
}

/* After a step that is about a mapping: its memory and what is next to it */
void world_look_at(const struct mapping *map)
{
	phys_addr_t arena = world.arena[map->want.orig - world.arena[0] >= ARENA_SIZE];
	struct model_pool *mp = map->pool;

	if (mp)
		look_at_part(mp->start, (size_t)mp->nslots * IO_TLB_SIZE, map->tlb,
			     map->want.size, 2 * IO_TLB_SIZE);
	else
		image_check(map->transient->start, map->transient->end - map->transient->start);
	if (!map->coherent)
		look_at_part(arena, ARENA_SIZE, map->want.orig, map->want.size, 256);
}

static void look_at_mem(struct model_mem *mm)
{
	unsigned int i;

	for (i = 0; i < mm->nr_pools; i++) {
		image_check(mm->pools[i].start, (size_t)mm->pools[i].nslots * IO_TLB_SIZE);
		model_check_slots(&mm->pools[i], 0, mm->pools[i].nslots);
	}
	model_check_counters(mm);
	if (mm->nr_pools)
		contract_check_all_free(mm->mem);
}

/* --- the end --- */

/* Free pools that were added, though they have not been idle, to find out what has leaked. */
static void free_growth(struct io_tlb_mem *mem)
{
	struct io_tlb_pool_table *table = mem->pools;
	struct io_tlb_pool *pool;
	unsigned int i;

	for (i = 0; table && i < table->nr; i++) {
		pool = table->pools[i];
		if (pool == mem->defpool)
			continue;
		swiotlb_pool_disconnect(pool);
		swiotlb_free_buffer(pool->vaddr, pool->bytes, io_tlb_default_mem.cc_shared);
		kvfree(pool);
	}
	if (table && !table->boot)
		kfree(table);
}

static void free_restricted(struct io_tlb_mem *mem)
{
	kfree(mem->pools);
	kvfree(mem->defpool);
	kfree(mem);
}

/* All mappings are gone: is everything as it was after boot? */
void world_end(void)
{
	machine_shut_down();
	model_find_new_pools(&world.mem[0]);
	look_at_mem(&world.mem[0]);
	look_at_mem(&world.mem[1]);
	image_check(world.arena[0], ARENA_SIZE);
	image_check(world.arena[1], ARENA_SIZE);

	free_growth(&io_tlb_default_mem);
	if (world.mem[1].nr_pools)
		free_restricted(world.mem[1].mem);
	if (machine_callbacks_pending())
		machine_fail("something is left to be freed");
	if (machine_objects_in_use() != world.objects)
		machine_fail("%ld objects are lost",
			     (long)(machine_objects_in_use() - world.objects));
	if (machine_pages_in_use() != world.pages && !world.may_leak)
		machine_fail("%ld pages are lost", (long)(machine_pages_in_use() - world.pages));
	if (machine_extents_in_use() != world.extents)
		machine_fail("%ld frames are not given back",
			     (long)(machine_extents_in_use() - world.extents));
}
