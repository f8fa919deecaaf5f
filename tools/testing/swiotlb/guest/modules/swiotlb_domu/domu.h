/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Declarations for the files of this module, which runs in a PV domU without devices.
 */
#ifndef SWIOTLB_DOMU_H
#define SWIOTLB_DOMU_H

#include "../swiotlb_edu/edu.h"
#include "../swiotlb_parity/foreign.h"

/* A buffer and its mapping */
struct piece {
	struct edu_buf buf;
	struct edu_map map;
};

/* restore.c: every frame of a mapping is one of this domain's, in order. */
int map_is_ours(const struct edu_map *map);

/* held.c */
#define HELD_COHERENT	2

struct held_over {
	struct edu_map coherent[HELD_COHERENT];
	struct edu_buf buf;	/* what @map maps */
	struct edu_map map;
	bool mapped;
	unsigned long pfn;	/* page frame that @map leads to */
	long used;		/* slots in use before @map was made */
};

int held_take(struct edu *edu, struct held_over *held);
int held_check(struct edu *edu, struct held_over *held, struct piece *piece, int n);
void held_drop(struct edu *edu, struct held_over *held);

/* The two parts; 0 when all is right. */
int domu_grant(struct edu *edu);
int domu_restore(struct edu *edu);

#endif /* SWIOTLB_DOMU_H */
