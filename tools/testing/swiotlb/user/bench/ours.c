// SPDX-License-Identifier: GPL-2.0
/*
 * This series' software IO TLB. Its other files are compiled each by itself, as in the
 * kernel.
 */
#include <swiotlb_init.c>
#include <swiotlb_growth.h>
#include <direct.h>

/* Not called, because all mappings are bounced. */
dma_addr_t dma_direct_map_overflow(struct device *dev, dma_addr_t dma_addr, size_t size)
{
	abort();
}

#define SIDE_PARAM(param)	parse_swiotlb(param)
#define SIDE_STOP_GROWTH()	swiotlb_stop_growth()
#define SIDE_ALLOW_GROWTH()	\
	swiotlb_allow_growth(swiotlb_growth_limit(&io_tlb_default_mem))
#define SIDE_GROW()		io_tlb_default_mem.growth->grow.func(&io_tlb_default_mem.growth->grow)
#define SIDE_USED(mem)		swiotlb_mem_used(mem)
#include "calls.h"

const struct side bench_ours = DEFINE_SIDE("ours");
