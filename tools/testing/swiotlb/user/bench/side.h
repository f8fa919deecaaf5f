/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One software IO TLB among the two in this process: all that is measured goes
 * through these calls. calls.h implements them, once for each side.
 */
#ifndef _BENCH_SIDE_H
#define _BENCH_SIDE_H

#include <linux/types.h>

enum { TO_DEVICE = 1, FROM_DEVICE = 2 };

#define MAP_FAILED_DMA	(~(dma_addr_t)0)

/**
 * struct side - a software IO TLB
 * @name:	"stock" or "ours".
 * @setup:	Boot with a pool of that many MiB in that many areas. Once in a process.
 * @reserve:	The device tree reserves a restricted DMA pool of that many MiB, and the
 *		device uses it from now on. Once in a process. Returns whether it works.
 * @device:	What the device asks for from now on: dma_set_min_align_mask().
 * @reach:	Where it reaches from now on: its DMA mask, its segment boundary mask,
 *		and whether its addresses go through ranges, which change none here.
 * @map:	As a driver maps a buffer; MAP_FAILED_DMA if there is no room.
 * @unmap:	As a driver does. The size and direction are those of the mapping.
 * @core_map:	Only swiotlb_map().
 * @core_unmap:	Only swiotlb_tbl_unmap_single(), which copies back as well.
 * @sync:	For the CPU if from the device, otherwise for the device.
 * @map_aligned: swiotlb_tbl_map_single(), as an IOMMU driver maps.
 * @unmap_aligned: Its counterpart.
 * @copy:	The copy routine alone.
 * @nothing:	A call that does nothing, to subtract.
 * @find:	Look for the pool of an address. Returns whether there is one.
 * @add_pool:	What the worker that adds a pool does.
 * @used:	Slots in use, of the pools that the device uses.
 * @slots:	Slots in them.
 */
struct side {
	const char *name;
	void (*setup)(unsigned int mib, unsigned int areas);
	bool (*reserve)(unsigned int mib);
	void (*device)(unsigned int min_align_mask);
	void (*reach)(u64 mask, unsigned long boundary, bool ranged);
	dma_addr_t (*map)(phys_addr_t phys, size_t size, int dir);
	void (*unmap)(dma_addr_t dma, size_t size, int dir);
	dma_addr_t (*core_map)(phys_addr_t phys, size_t size, int dir);
	void (*core_unmap)(dma_addr_t dma, size_t size, int dir);
	void (*sync)(dma_addr_t dma, size_t size, int dir);
	phys_addr_t (*map_aligned)(phys_addr_t phys, size_t size, unsigned int mask);
	void (*unmap_aligned)(phys_addr_t tlb, size_t size);
	void (*copy)(void *to, const void *from, size_t size);
	void (*nothing)(dma_addr_t dma, size_t size, int dir);
	bool (*find)(dma_addr_t dma);
	void (*add_pool)(void);
	unsigned long (*used)(void);
	unsigned long (*slots)(void);
};

extern const struct side bench_stock, bench_ours;

#endif
