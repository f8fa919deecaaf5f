// SPDX-License-Identifier: GPL-2.0
/*
 * Entry for a fuzzer: a restricted pool as the device tree may describe it, and then
 * what a device can do with it.
 */
#include "fuzz.h"
#include "model.h"

#define COMPATIBLE	"restricted-dma-pool"
#define MEMORY		((size_t)6 << 20)
#define MAX_MAPS	64

/**
 * struct input - what the fuzzer chooses
 * @base:	Where the pool is,
 * @size:	and its size.
 * @property:	One more property of the node.
 * @where:	Bits: high memory, encrypted memory.
 * @maps:	Sizes of mappings, in units of 64 bytes.
 */
struct input {
	u64 base;
	u64 size;
	u8 property;
	u8 where;
	u16 maps[MAX_MAPS];
};

static const char *const properties[] = {
	NULL, "reusable", "linux,cma-default", "linux,dma-default", "no-map", "status",
};

/*
 * The binding wants pages, at least one, and no property that contradicts. Less than a page
 * may be accepted if it has room for a slot.
 */
static void check_setup(struct reserved_mem *rmem, const char *property)
{
	bool good = rmem->size >= PAGE_SIZE && !offset_in_page(rmem->base) &&
		(!property || !strcmp(property, "status"));
	int ret = machine_setup_reserved(rmem, COMPATIBLE, property);

	if (rmem->size >= IO_TLB_SIZE && rmem->size < PAGE_SIZE)
		return;
	if (ret != (good ? 0 : -EINVAL))
		machine_fail("a restricted pool of %#llx at %#llx, %s: %saccepted", rmem->size,
			     rmem->base, property ?: "no property", good ? "not " : "");
	if (!good != !rmem->ops)
		machine_fail("setup says one thing and does another");
}

static void map_one(struct model_mem *mm, struct mapping *map, struct device *dev,
		    phys_addr_t orig, size_t size)
{
	bool room, mapped;

	want_init(&map->want, dev, orig, size, 0, *dev->dma_mask);
	map->dir = DMA_BIDIRECTIONAL;
	map->coherent = false;
	map->iommu = false;
	room = model_fits(mm, &map->want);
	map->dma = swiotlb_map(dev, orig, size, map->dir, 0);
	mapped = map->dma != DMA_MAPPING_ERROR;
	if (room != mapped)
		machine_fail("%#zx bytes: %s", size, room ? "there is room" : "there is no room");
	if (!room)
		return;
	map->tlb = machine_dma_to_phys(dev, map->dma);
	model_map(mm, map, 0);
	contract_check(dev, orig, size, 0, map->dma);
	contract_check_content(dev, orig, size, map->dma);
}

static void use_pool(struct device *dev, const struct input *input)
{
	phys_addr_t orig = machine_alloc(SZ_1M, __GFP_HIGHMEM);
	static struct mapping maps[MAX_MAPS];
	static struct model_mem mm;
	unsigned int i;

	model_reset();
	model_add_mem(&mm, dev->dma_io_tlb_mem, "pool");
	if (!is_swiotlb_force_bounce(dev) || !is_swiotlb_for_alloc(dev))
		machine_fail("a device does not have to use its restricted pool");
	for (i = 0; i < MAX_MAPS; i++)
		map_one(&mm, &maps[i], dev, orig, input->maps[i] % 4100 * 64);
	model_check_counters(&mm);
	for (i = 0; i < MAX_MAPS; i++) {
		if (maps[i].dma == DMA_MAPPING_ERROR)
			continue;
		swiotlb_tbl_unmap_single(dev, maps[i].tlb, maps[i].want.size, maps[i].dir, 0);
		model_unmap(&maps[i]);
	}
	model_check_counters(&mm);
	model_check_slots(&mm.pools[0], 0, mm.pools[0].nslots);
	contract_check_all_free(mm.mem);
}

static void free_pool(struct io_tlb_mem *mem)
{
	kfree(mem->pools);
	kvfree(mem->defpool);
	kfree(mem);
}

/* Take the numbers of the device tree modulo the size of memory, so that memory is there. */
static void set_up_and_use(const struct input *input)
{
	bool high = input->where & BIT(0);
	phys_addr_t memory = machine_alloc(2 * MEMORY, high ? __GFP_HIGHMEM : __GFP_DMA32);
	struct reserved_mem rmem = {
		.name = "pool",
		.base = memory + input->base % MEMORY,
		.size = input->size % MEMORY,
	};
	u64 mask = DMA_BIT_MASK(64);
	struct device dev;
	int ret;

	check_setup(&rmem, properties[input->property % ARRAY_SIZE(properties)]);
	if (!rmem.ops)
		return;
	machine_device_init(&dev, &mask);
	ret = rmem.ops->device_init(&rmem, &dev);
	if (ret != (high ? -EINVAL : 0))
		machine_fail("the pool's device gets %d", ret);
	if (!ret)
		use_pool(&dev, input);
	rmem.ops->device_release(&rmem, &dev);
	if (dev.dma_io_tlb_mem != &io_tlb_default_mem)
		machine_fail("a device keeps the pool");
	if (!ret)
		free_pool(rmem.priv);
}

int fuzz_one(const u8 *data, size_t size)
{
	struct machine_config config = { .param = "512" };
	struct input input = { 0 };
	struct reserved_mem rmem;

	memcpy(&input, data, min(size, sizeof(input)));
	config.highmem = input.where & BIT(0);
	config.encrypted = input.where & BIT(1);
	machine_boot(&config);
	rmem = (struct reserved_mem){ .name = "pool", .base = input.base, .size = input.size };
	check_setup(&rmem, properties[input.property % ARRAY_SIZE(properties)]);
	set_up_and_use(&input);
	machine_shut_down();
	if (machine_objects_in_use())
		machine_fail("%lu objects are lost", machine_objects_in_use());
	return 0;
}
