/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Declarations for the files of this module, which asks row by row what a driver may
 * expect of the DMA API. It shares the code that drives the edu device with swiotlb_edu.
 */
#ifndef SWIOTLB_PARITY_H
#define SWIOTLB_PARITY_H

#include "../swiotlb_edu/edu.h"

/* A row's answers; a negative error means no. */
#define YES	0
#define NOT_HERE 1	/* there is nothing to test on this machine */

/* The short text beside the answer. */
struct said {
	char text[96];
};

__printf(2, 3) void say(struct said *said, const char *fmt, ...);

/* machine.c */
unsigned long machine_frame(unsigned long pfn);
unsigned long machine_highest(void);
bool machine_contiguous(void *mem, size_t size);
struct page *machine_run(size_t size);
long swiotlb_counter(const char *name);

/* main.c */
int with_mask(struct edu *edu, unsigned int bits, struct said *said,
	      int (*run)(struct edu *edu, struct said *said));
int moves(struct edu *edu, const struct edu_map *map, bool streaming);
const char *size_name(size_t size);

/* limits.c */
int row_required_mask(struct edu *edu, struct said *said);
int row_max_mapping(struct edu *edu, struct said *said);
int row_need_sync(struct edu *edu, struct said *said);
int row_supported_highest(struct edu *edu, struct said *said);

/* mmio.c */
int row_map_resource(struct edu *edu, struct said *said);
int row_peer_to_peer(struct edu *edu, struct said *said);

/* alloc.c */
int row_alloc_pages(struct edu *edu, struct said *said);
int row_alloc_noncontiguous(struct edu *edu, struct said *said);

/* coherent.c */
int row_coherent_large(struct edu *edu, struct said *said);
int row_coherent_masks(struct edu *edu, struct said *said);
int row_coherent_bus_limit(struct edu *edu, struct said *said);
int row_coherent_aligned(struct edu *edu, struct said *said);
int row_coherent_atomic(struct edu *edu, struct said *said);

/* stream.c */
int row_streaming_unaligned(struct edu *edu, struct said *said);
int row_require_coherent(struct edu *edu, struct said *said);
int row_large_map(struct edu *edu, struct said *said);
int row_largest_map(struct edu *edu, struct said *said);

/* segments.c */
int row_sg_scattered(struct edu *edu, struct said *said);
int row_block_scattered(struct edu *edu, struct said *said);

/* grow.c: mappings held until the pool is full */
struct held {
	struct edu_buf buf;
	struct edu_map map;
};

struct fill {
	struct held *held;
	int most, count;
	long slots_before;
};

int fill_open(struct fill *fill);
int fill_most(struct edu *edu, struct fill *fill);
int fill_all(struct edu *edu, struct fill *fill, long enough);
int fill_check(struct edu *edu, struct fill *fill, u64 mask);
void fill_close(struct edu *edu, struct fill *fill);
int row_grow(struct edu *edu, struct said *said);
int row_grow_below_mask(struct edu *edu, struct said *said);
int row_shrink(struct edu *edu, struct said *said);
int row_grow_exhausted(struct edu *edu, struct said *said);

/* cycles.c */
int row_grow_cycles(struct edu *edu, struct said *said);

/* foreign.c */
int row_foreign(struct edu *edu, struct said *said);

/* grant_pages.c */
int row_grant_pages(struct edu *edu, struct said *said);

#endif /* SWIOTLB_PARITY_H */
