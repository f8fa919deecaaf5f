// SPDX-License-Identifier: GPL-2.0
/*
 * Each operation, done to the software IO TLB and to the model, and compared.
 */
#include "world.h"

static bool printing;

/* Print what a step did, below the line that describes the step. */
#define tell(fmt, ...) do { if (printing) printf("#       " fmt "\n", ##__VA_ARGS__); } while (0)

static struct device *dev_of(const struct step *step)
{
	return &world.dev[step->who & 3];
}

static struct model_mem *mem_of(struct device *dev)
{
	return dev->dma_io_tlb_mem == &io_tlb_default_mem ? &world.mem[0] : &world.mem[1];
}

/* The mapping that a step is about, or %NULL if there is none */
static struct mapping *map_of(const struct step *step)
{
	struct mapping *map;

	if (!world.nr_maps) {
		tell("of nothing");
		return NULL;
	}
	map = &world.map[step->place % world.nr_maps];
	tell("of %#llx+%#zx", (unsigned long long)map->dma, map->want.size);
	return map;
}

static u64 reach_of(struct device *dev)
{
	u64 limit = *dev->dma_mask;

	return dev->bus_dma_limit && dev->bus_dma_limit < limit ? dev->bus_dma_limit : limit;
}

static bool failure_pending(enum machine_failure kind)
{
	return world.fail_nth[kind] && machine_failure_calls(kind) < world.fail_nth[kind];
}

/* --- map --- */

/* The largest zone that is all below @limit */
static gfp_t zone_within(u64 limit)
{
	if (limit >= MACHINE_HIGH_START + MACHINE_HIGH_SIZE - 1)
		return 0;
	return limit >= MACHINE_LOW_START + MACHINE_LOW_SIZE - 1 ? __GFP_DMA32 : __GFP_DMA;
}

/*
 * Must a transient pool be able to serve this? It must if there are pages, of which the
 * number is the next power of two and which are aligned to their size, and if it does not
 * matter to the device where they are.
 */
static bool transient_due(struct model_mem *mm, const struct want *want)
{
	struct device *dev = want->dev;
	size_t before = want->orig & dev->min_align_mask & ~want->align_mask;
	size_t bytes = before + want->nslots * IO_TLB_SIZE;
	size_t span = PAGE_SIZE << get_order(bytes);
	gfp_t gfp = GFP_NOWAIT | zone_within(reach_of(dev));
	unsigned long vaddr;

	if (mm != world.mem || !mm->nr_pools || !want->nslots || bytes > IO_TLB_SET_BYTES)
		return false;
	if (xen_dma_key || force_dma_unencrypted(dev) || dev->dma_range_map ||
	    failure_pending(FAIL_PAGES) || failure_pending(FAIL_KMALLOC))
		return false;
	if (reach_of(dev) < zone_dma_limit ||
	    (dev->segment_boundary | (span - 1)) != dev->segment_boundary ||
	    (want->align_mask | dev->min_align_mask) >= span)
		return false;

	vaddr = __get_free_pages(gfp, get_order(bytes));
	free_pages(vaddr, get_order(bytes));
	return vaddr;
}

/* A mapping failed. That is wrong if @hope says why it had to succeed. */
static void check_no_room(const char *hope)
{
	tell("-> no room");
	if (hope)
		machine_fail("a mapping failed, and %s", hope);
}

/* Why a mapping has to succeed, or %NULL if it need not */
static const char *hope_for(struct model_mem *mm, const struct want *want)
{
	if (model_own_area_fits(mm, want, world.cpu) || model_fits(mm, want))
		return "there is room";
	if (model_could_fit(want) && mm == world.mem && mm->nr_pools && want->limit == U64_MAX &&
	    !want->dev->dma_range_map)
		world.growth_due = true;
	return transient_due(mm, want) ? "a transient pool is possible" : NULL;
}

static void check_mapped(struct mapping *map, unsigned int alloc_align_mask)
{
	static u8 seen[ARENA_SIZE];
	struct device view = *map->want.dev;
	u64 all = U64_MAX;

	if (map->iommu) {
		view.dma_mask = &all;
		view.bus_dma_limit = 0;
		view.dma_range_map = NULL;
	}
	contract_check(&view, map->want.orig, map->want.size, alloc_align_mask, map->dma);
	if (!machine_dma(&view, map->dma, seen, map->want.size, false))
		machine_fail("the device cannot read %#llx", (unsigned long long)map->dma);
	image_check_data(map->want.orig, seen, map->want.size, "for the device");
	if (map->want.dev->dma_skip_sync)
		machine_fail("the device's syncs will be skipped");
	world_look_at(map);
}

static void call_map(struct mapping *map, unsigned int alloc_align_mask, unsigned long attrs)
{
	const struct want *want = &map->want;

	if (!map->iommu) {
		map->dma = swiotlb_map(want->dev, want->orig, want->size, map->dir, attrs);
		if (map->dma != DMA_MAPPING_ERROR)
			map->tlb = machine_dma_to_phys(want->dev, map->dma);
		return;
	}
	map->tlb = swiotlb_tbl_map_single(want->dev, want->orig, want->size, alloc_align_mask,
					  map->dir, TBL_ATTRS(attrs));
	map->dma = DMA_MAPPING_ERROR;
	if (map->tlb != (phys_addr_t)DMA_MAPPING_ERROR)
		map->dma = PFN_PHYS(machine_frame_of(machine_page_index(map->tlb))) +
			offset_in_page(map->tlb);
}

/* Behind an IOMMU the device's own limits and ranges do not matter. */
static void do_map(const struct step *step, size_t size, bool iommu)
{
	struct device *dev = dev_of(step);
	unsigned int align_mask = iommu ? align_mask_of(step) : 0;
	struct mapping *map = &world.map[world.nr_maps];
	struct model_mem *mm = mem_of(dev);
	const char *hope;

	if (world.nr_maps == MAX_MAPPINGS) {
		tell("-> skipped");
		return;
	}
	map->dir = dir_of(step);
	map->coherent = false;
	map->iommu = iommu;
	want_init(&map->want, dev, world.arena[!!(step->who & BIT(6))] + place_of(step), size,
		  align_mask, iommu ? U64_MAX : reach_of(dev));
	map->want.translated = iommu;
	hope = hope_for(mm, &map->want);

	machine_set_atomic(step->who & BIT(7));
	call_map(map, align_mask, attrs_of(step));
	machine_set_atomic(false);
	if (map->dma == DMA_MAPPING_ERROR)
		return check_no_room(hope);

	tell("-> %#llx, slot at %#llx", (unsigned long long)map->dma,
	     (unsigned long long)map->tlb);
	if (!map->want.nslots)
		machine_fail("a mapping of %#zx bytes", size);
	world.nr_maps++;
	model_map(mm, map, world.cpu);
	image_copy(map->tlb, map->want.orig, size);
	check_mapped(map, align_mask);
}

static void map_largest(const struct step *step)
{
	struct device *dev = dev_of(step);
	size_t size = swiotlb_max_mapping_size(dev);
	size_t expected = model_told(mem_of(dev), dev);

	tell("size %zu", size);
	if (size != expected)
		machine_fail("a driver is told %zu, expected %zu", size, expected);
	do_map(step, min(size, ARENA_SIZE - place_of(step)), false);
}

static void alloc(const struct step *step)
{
	struct device *dev = dev_of(step);
	struct mapping *map = &world.map[world.nr_maps];
	size_t size = PAGE_ALIGN(min(size_of(step), IO_TLB_SET_BYTES + 1));
	struct model_mem *mm = mem_of(dev);
	struct page *page;
	bool room;

	if (world.nr_maps == MAX_MAPPINGS || !is_swiotlb_for_alloc(dev)) {
		tell("-> skipped");
		return;
	}
	want_init(&map->want, dev, 0, size, (PAGE_SIZE << get_order(size)) - 1, U64_MAX);
	map->want.nslots = map->want.nslots ? size / IO_TLB_SIZE : 0;
	map->dir = DMA_BIDIRECTIONAL;
	map->coherent = true;
	map->iommu = true;
	room = model_fits(mm, &map->want);
	page = swiotlb_alloc(dev, size, machine_alloc_attrs());
	tell("-> %s", page ? "done" : "no room");
	if (!page && room)
		machine_fail("coherent memory: there is room");
	if (!page)
		return;
	map->tlb = page_to_phys(page);
	map->dma = map->tlb;
	world.nr_maps++;
	model_map(mm, map, world.cpu);
	world_look_at(map);
}

/* --- what happens to a mapping --- */

static void unmap(struct mapping *map, unsigned long attrs)
{
	struct device *dev = map->want.dev;
	size_t size = map->want.size;

	if (!(attrs & DMA_ATTR_SKIP_CPU_SYNC) && map->dir != DMA_TO_DEVICE && !map->coherent)
		image_copy(map->want.orig, map->tlb, size);
	if (!map->coherent)
		swiotlb_tbl_unmap_single(dev, map->tlb, size, map->dir, attrs);
	else if (!swiotlb_free(dev, pfn_to_page(PHYS_PFN(map->tlb)), size))
		machine_fail("coherent memory is not taken back");
	model_unmap(map);
	world_look_at(map);
	*map = world.map[--world.nr_maps];
}

static void do_unmap(const struct step *step)
{
	struct mapping *map = map_of(step);

	if (!map)
		return;
	machine_set_atomic(step->who & BIT(7));
	unmap(map, attrs_of(step));
	machine_set_atomic(false);
}

static void do_sync(const struct step *step, bool for_cpu)
{
	struct mapping *map = map_of(step);
	size_t offset, size, copied;
	bool beyond, copies;

	if (!map)
		return;
	beyond = part_of(step, map->want.size, &offset, &size);
	copied = min(size, map->want.size - offset);
	copies = !map->coherent && map->dir != (for_cpu ? DMA_TO_DEVICE : DMA_FROM_DEVICE);
	tell("%#zx bytes at %#zx", size, offset);
	if (copies && for_cpu)
		image_copy(map->want.orig + offset, map->tlb + offset, copied);
	if (copies && !for_cpu)
		image_copy(map->tlb + offset, map->want.orig + offset, copied);

	if (for_cpu)
		swiotlb_sync_single_for_cpu(map->want.dev, map->tlb + offset, size, map->dir);
	else
		swiotlb_sync_single_for_device(map->want.dev, map->tlb + offset, size, map->dir);
	if (copies && beyond && !machine_expect_warning("sync of"))
		machine_fail("nobody says that a sync goes too far");
	world_look_at(map);
}

static bool access(struct mapping *map, size_t offset, void *data, size_t size, bool write)
{
	if (!map->iommu)
		return machine_dma(map->want.dev, map->dma + offset, data, size, write);
	if (write)
		memcpy(machine_memory(map->tlb + offset), data, size);
	else
		memcpy(data, machine_memory(map->tlb + offset), size);
	return true;
}

static void device_access(const struct step *step, bool write)
{
	static u8 data[ARENA_SIZE];
	struct mapping *map = map_of(step);
	size_t offset, size;

	if (!map)
		return;
	part_of(step, map->want.size, &offset, &size);
	size = min(size, map->want.size - offset);
	tell("%#zx bytes at %#zx", size, offset);
	if (write)
		memcpy(data, noise(step->size, size), size);
	if (!access(map, offset, data, size, write))
		machine_fail("the device cannot reach its own buffer");
	if (write)
		image_write(map->tlb + offset, data, size);
	else
		image_check_data(map->tlb + offset, data, size, "for the device");
	world_look_at(map);
}

/* --- other operations --- */

static void cpu_write(const struct step *step)
{
	phys_addr_t phys = world.arena[!!(step->who & BIT(6))] + place_of(step);
	size_t size = min(size_of(step), IO_TLB_SET_BYTES);
	const u8 *data = noise(step->size, size);

	tell("%#zx bytes at %#zx of %s buffers", size, place_of(step),
	     step->who & BIT(6) ? "low" : "high");
	memcpy(machine_memory(phys), data, size);
	image_write(phys, data, size);
}

static void set_cpu(const struct step *step)
{
	world.cpu = (step->who & 7) % num_possible_cpus();
	tell("to %u", world.cpu);
	machine_set_cpu(world.cpu);
}

static void grow(void)
{
	unsigned int done;

	if (world.growth++ == MAX_GROWTH)
		return;
	done = machine_work();
	tell("-> %u", done);
	if (!done && world.growth_due)
		machine_fail("there was no room, and nobody has asked for more");
	world.growth_due = false;
	model_find_new_pools(&world.mem[0]);
	/* Let the pause after a failure end. */
	machine_ticks += HZ;
}

/* Run the search for idle pools. */
static void free_idle(void)
{
	bool may_stay = failure_pending(FAIL_KMALLOC);
	unsigned int done = machine_delayed_work();

	tell("-> %u", done);
	if (!world.mem[0].nr_pools)
		return;
	if (!done && model_may_shrink(&world.mem[0]))
		machine_fail("nobody looks whether pools are idle");
	if (done)
		model_shrink(&world.mem[0], may_stay);
}

static void fail(const struct step *step)
{
	enum machine_failure kind = step->who % NR_FAILURES;

	world.fail_nth[kind] = 1 + step->place % 8;
	tell("%s at call %u", failure_names[kind], world.fail_nth[kind]);
	machine_fail_nth(kind, world.fail_nth[kind]);
	world.may_leak |= kind == FAIL_ENCRYPT;
}

static void unmap_free(const struct step *step)
{
	struct device *dev = dev_of(step);
	phys_addr_t phys = model_free_address(mem_of(dev), step->place);
	bool used = dev->dma_uses_io_tlb;

	tell("%#llx", (unsigned long long)phys);
	swiotlb_tbl_unmap_single(dev, phys, 1 + step->size % 8192, dir_of(step), attrs_of(step));
	if (phys != DMA_PHYS_NONE && used != !!machine_expect_warning("which is not mapped"))
		machine_fail("nobody says that there is no mapping");
}

static void sync_free(const struct step *step)
{
	struct device *dev = dev_of(step);
	phys_addr_t phys = model_free_address(mem_of(dev), step->place);

	tell("%#llx", (unsigned long long)phys);
	swiotlb_sync_single_for_cpu(dev, phys, 1 + step->size % 8192, DMA_FROM_DEVICE);
	swiotlb_sync_single_for_device(dev, phys, 1 + step->size % 8192, DMA_TO_DEVICE);
}

/* No slots are freed and nothing is copied, whatever size and direction are passed. */
static void unmap_inside(const struct step *step, struct mapping *map)
{
	size_t offset = 1 + step->size % map->want.size;
	struct device *dev = dev_of(step);
	bool seen = swiotlb_find_pool(dev, map->tlb + offset);

	if (step->size & BIT(31))
		offset = ALIGN(offset, IO_TLB_SIZE);
	if (offset >= map->want.size)
		return;
	tell("unmap %#zx bytes from it through dev%td", offset, dev - world.dev);
	swiotlb_tbl_unmap_single(dev, map->tlb + offset, SIZE_MAX - step->place,
				 DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
	if (seen && !machine_expect_warning("inside a mapping"))
		machine_fail("nobody says that this is inside of a mapping");
}

/* Nothing; nearly all addresses that there are; beyond the end of all pools; a bit too much */
static size_t impossible_size(const struct step *step, size_t left)
{
	switch (step->size >> 28 & 3) {
	case 0:
		return 0;
	case 1:
		return SIZE_MAX - step->place;
	case 2:
		return left + MACHINE_LOW_SIZE;
	default:
		return left + 1 + step->place;
	}
}

/* All that is mapped from @offset on is copied, unless the size is zero. */
static void sync_impossible(const struct step *step, struct mapping *map)
{
	size_t offset = step->size % map->want.size, left = map->want.size - offset;
	size_t size = impossible_size(step, left);
	struct device *dev = dev_of(step);
	phys_addr_t tlb = map->tlb + offset;
	bool copies = swiotlb_find_pool(dev, tlb) && !map->coherent && size;

	tell("sync %#zx bytes %#zx from it through dev%td", size, offset, dev - world.dev);
	if (copies)
		image_copy(map->want.orig + offset, tlb, left);
	swiotlb_sync_single_for_cpu(dev, tlb, size, DMA_FROM_DEVICE);
	if (copies && !machine_expect_warning("sync of"))
		machine_fail("nobody says that a sync goes too far");
	world_look_at(map);
}

static void call_hostile(const struct step *step)
{
	struct mapping *map = map_of(step);

	if (map && step->size & BIT(30))
		unmap_inside(step, map);
	else if (map)
		sync_impossible(step, map);
}

/* A foreign page has a pfn of its own domain. It must not be taken for that of a bounce buffer. */
static void make_foreign(const struct step *step)
{
	unsigned int page = step->size % ARENA_PAGES;
	phys_addr_t phys = world.arena[0] + PFN_PHYS(page), theirs = phys;
	struct device *dev = dev_of(step);
	dma_addr_t dma;

	if (!xen_dma_key || world.foreign[page] || dev->dma_range_map) {
		tell("-> skipped");
		return;
	}
	world.foreign[page] = true;
	if (world.nr_maps)
		theirs = world.map[step->place % world.nr_maps].tlb;
	machine_make_foreign(phys, PHYS_PFN(theirs));
	dma = PFN_PHYS(machine_frame_of(machine_page_index(phys)));
	tell("%#llx calls itself %#llx", (unsigned long long)dma, (unsigned long long)theirs);
	if (dma_to_phys(dev, dma) != DMA_PHYS_NONE)
		machine_fail("a foreign page is taken for one of ours");
	swiotlb_sync_single_for_cpu(dev, dma_to_phys(dev, dma), PAGE_SIZE, DMA_FROM_DEVICE);
	swiotlb_tbl_unmap_single(dev, dma_to_phys(dev, dma), PAGE_SIZE, DMA_FROM_DEVICE, 0);
}

static void reset_hiwater(const struct step *step)
{
	struct model_mem *mm = mem_of(dev_of(step));

	if (!mm->nr_pools)
		return;
	if (machine_write_counter(mm->dir, "io_tlb_used_hiwater", 0))
		machine_fail("the high-water mark cannot be reset");
	mm->peak = mm->used;
}

static void do_step(const struct step *step)
{
	switch (op_of(step)) {
	case OP_MAP:
		return do_map(step, size_of(step), false);
	case OP_MAP_IOMMU:
		return do_map(step, size_of(step), true);
	case OP_UNMAP:
		return do_unmap(step);
	case OP_SYNC_CPU:
		return do_sync(step, true);
	case OP_SYNC_DEVICE:
		return do_sync(step, false);
	case OP_DEVICE_READ:
		return device_access(step, false);
	case OP_DEVICE_WRITE:
		return device_access(step, true);
	case OP_CPU_WRITE:
		return cpu_write(step);
	case OP_CPU:
		return set_cpu(step);
	case OP_GROW:
		return grow();
	case OP_SHRINK:
		return free_idle();
	case OP_GRACE:
		return machine_grace_period();
	case OP_FAIL:
		return fail(step);
	case OP_UNMAP_FREE:
		return unmap_free(step);
	case OP_SYNC_FREE:
		return sync_free(step);
	case OP_FOREIGN:
		return make_foreign(step);
	case OP_HIWATER:
		return reset_hiwater(step);
	case OP_ALLOC:
		return alloc(step);
	case OP_LARGEST:
		return map_largest(step);
	case OP_HOSTILE:
		return call_hostile(step);
	case NR_OPS:
		break;
	}
}

static void print_step(const struct step *steps, unsigned int i)
{
	char text[200];

	if (!printing)
		return;
	describe(steps, i, text, sizeof(text));
	printf("# %3u %s\n", i, text);
}

/* Run a sequence. @progress is the number of the step that runs. */
void run_sequence(const struct step *steps, unsigned int nr, unsigned int *progress, bool print)
{
	struct step header[HEADER_STEPS] = { 0 };
	unsigned int kind;

	printing = print;
	memcpy(header, steps, min(nr, HEADER_STEPS) * sizeof(*steps));
	for (*progress = 0; printing && *progress < HEADER_STEPS; (*progress)++)
		print_step(header, *progress);
	world_begin(header);
	for (*progress = HEADER_STEPS; *progress < nr; (*progress)++) {
		print_step(steps, *progress);
		do_step(&steps[*progress]);
		world_look_around();
	}

	for (kind = 0; kind < NR_FAILURES; kind++)
		machine_fail_nth(kind, 0);
	if (printing)
		printf("# unmap all, shut down\n");
	while (world.nr_maps)
		unmap(&world.map[world.nr_maps - 1], 0);
	world_end();
}
