// SPDX-License-Identifier: GPL-2.0
/*
 * dma_capable() took (dev, dma, size, is_ram) once and takes (dev, phys, dma, size) now;
 * on later kernels attributes follow in both. All of these are numbers, so the types let a call of the old form pass; the macro has
 * to refuse it. user/run compiles this file. It must compile as it is. It must not compile
 * if LAST is the fourth argument of an old call.
 */
#include <linux/dma-direct.h>

#ifndef LAST
#define LAST	size
#endif

#ifdef MAPS_PHYS
#define CALL(last)	dma_capable(dev, dma, dma, last, 0)
#else
#define CALL(last)	dma_capable(dev, dma, dma, last)
#endif

bool capable(struct device *dev, dma_addr_t dma, size_t size, bool is_ram);

bool capable(struct device *dev, dma_addr_t dma, size_t size, bool is_ram)
{
	return CALL(LAST);
}
