/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What both software IO TLBs have in common, for compare/main.c.
 */
#ifndef _COMPARE_H
#define _COMPARE_H

#include "machine.h"

extern const char whose[];

dma_addr_t bounce_map(struct device *dev, phys_addr_t phys, size_t size);
void bounce_unmap(struct device *dev, dma_addr_t dma, size_t size);

#endif
