/* SPDX-License-Identifier: GPL-2.0 */
/*
 * struct side for the software IO TLB that stock.c or ours.c has included before. Each
 * side has a device of its own, and makes the calls of its own kernel/dma/direct.h.
 */
#include "side.h"

static u64 device_mask = DMA_BIT_MASK(32);
static struct device_dma_parameters device_parameters = { .segment_boundary = U32_MAX };
static struct device device = {
	.dma_mask = &device_mask,
	.coherent_dma_mask = DMA_BIT_MASK(32),
	.dma_parms = &device_parameters,
	.dma_coherent = true,
};

u64 zone_dma_limit = DMA_BIT_MASK(24);

static void side_setup(unsigned int mib, unsigned int areas)
{
	char param[40];

	snprintf(param, sizeof(param), "%u,%u,force", mib << (20 - IO_TLB_SHIFT), areas);
	SIDE_PARAM(param);
	swiotlb_init(true, 0);
	swiotlb_update_mem_attributes();
	swiotlb_dev_init(&device);
	SIDE_STOP_GROWTH();
}

static bool side_reserve(unsigned int mib)
{
	size_t size = (size_t)mib << 20;
	static struct reserved_mem rmem;

	rmem = (struct reserved_mem){
		.name = "restricted", .base = virt_to_phys(machine_alloc(size)), .size = size,
	};
	return !machine_setup_reserved(&rmem, "restricted-dma-pool", NULL) &&
		!rmem.ops->device_init(&rmem, &device);
}

static void side_device(unsigned int min_align_mask)
{
	device_parameters.min_align_mask = min_align_mask;
}

static void side_reach(u64 mask, unsigned long boundary, bool ranged)
{
	static const struct bus_dma_region ranges[] = {
		{ .cpu_start = 0xf00000000, .dma_start = 0xf00000000, .size = SZ_1M },
		{ .cpu_start = 0, .dma_start = 0, .size = 1ULL << 32 },
		{ },
	};

	device_mask = mask;
	device_parameters.segment_boundary = boundary;
	device.dma_range_map = ranged ? ranges : NULL;
}

static dma_addr_t side_map(phys_addr_t phys, size_t size, int dir)
{
	return dma_direct_map_page(&device, pfn_to_page(PHYS_PFN(phys)), offset_in_page(phys),
				   size, dir, DMA_ATTR_NO_WARN);
}

static void side_unmap(dma_addr_t dma, size_t size, int dir)
{
	dma_direct_unmap_page(&device, dma, size, dir, 0);
}

static void side_sync(dma_addr_t dma, size_t size, int dir)
{
	if (dir == FROM_DEVICE)
		dma_direct_sync_single_for_cpu(&device, dma, size, dir);
	else
		dma_direct_sync_single_for_device(&device, dma, size, dir);
}

static dma_addr_t side_core_map(phys_addr_t phys, size_t size, int dir)
{
	return swiotlb_map(&device, phys, size, dir, DMA_ATTR_NO_WARN);
}

static void side_core_unmap(dma_addr_t dma, size_t size, int dir)
{
	swiotlb_tbl_unmap_single(&device, dma_to_phys(&device, dma), size, dir, 0);
}

static phys_addr_t side_map_aligned(phys_addr_t phys, size_t size, unsigned int mask)
{
	return swiotlb_tbl_map_single(&device, phys, size, mask, DMA_TO_DEVICE, TBL_ATTRS(DMA_ATTR_NO_WARN));
}

static void side_unmap_aligned(phys_addr_t tlb, size_t size)
{
	swiotlb_tbl_unmap_single(&device, tlb, size, DMA_TO_DEVICE, 0);
}

static void side_copy(void *to, const void *from, size_t size)
{
	memcpy(to, from, size);
}

static void side_nothing(dma_addr_t dma, size_t size, int dir)
{
}

static bool side_find(dma_addr_t dma)
{
	return swiotlb_find_pool(&device, dma_to_phys(&device, dma));
}

static void side_add_pool(void)
{
	SIDE_ALLOW_GROWTH();
	SIDE_GROW();
	SIDE_STOP_GROWTH();
}

static unsigned long side_used(void)
{
	return SIDE_USED(device.dma_io_tlb_mem);
}

static unsigned long side_slots(void)
{
	return device.dma_io_tlb_mem->nslabs;
}

#define DEFINE_SIDE(text) {			\
	.name = text,				\
	.setup = side_setup,			\
	.reserve = side_reserve,		\
	.device = side_device,			\
	.reach = side_reach,			\
	.map = side_map,			\
	.unmap = side_unmap,			\
	.core_map = side_core_map,		\
	.core_unmap = side_core_unmap,		\
	.sync = side_sync,			\
	.map_aligned = side_map_aligned,	\
	.unmap_aligned = side_unmap_aligned,	\
	.copy = side_copy,			\
	.nothing = side_nothing,		\
	.find = side_find,			\
	.add_pool = side_add_pool,		\
	.used = side_used,			\
	.slots = side_slots,			\
}
