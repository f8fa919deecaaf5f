// SPDX-License-Identifier: GPL-2.0
/*
 * dma_set_mask() as it is in kernel/dma/mapping.c, for a device that dma-direct serves.
 * The Makefile takes the functions out of that file.
 */
#include "../machine/machine.h"
#include <dma/direct.h>

struct dma_map_ops {
	void (*sync_single_for_cpu)(void);
	void (*sync_single_for_device)(void);
	void (*sync_sg_for_cpu)(void);
	void (*sync_sg_for_device)(void);
};

#define get_dma_ops(dev)		((const struct dma_map_ops *)NULL)
#define dma_map_direct(dev, ops)	(!(ops))
#define use_dma_iommu(dev)		false
#define dma_supported(dev, mask)	dma_direct_supported(dev, mask)
#define arch_dma_set_mask(dev, mask)	do { } while (0)

#include <mapping-mask.h>
