// SPDX-License-Identifier: GPL-2.0
/*
 * The base kernel's software IO TLB, unedited.
 */
#include STOCK_SOURCE
#include <direct.h>

#define SIDE_PARAM(param)	setup_io_tlb_npages(param)
/* Asking for the lowest address stops growth there. */
#define SIDE_STOP_GROWTH()	default_swiotlb_base()
#define SIDE_ALLOW_GROWTH()	(io_tlb_default_mem.can_grow = true)
#define SIDE_GROW()		swiotlb_dyn_alloc(&io_tlb_default_mem.dyn_alloc)
#define SIDE_USED(mem)		mem_used(mem)
#include "calls.h"

const struct side bench_stock = DEFINE_SIDE("stock");
