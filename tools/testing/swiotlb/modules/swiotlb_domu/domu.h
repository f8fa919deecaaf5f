/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of a PV domU without any device: what the files of this module share.
 */
#ifndef SWIOTLB_DOMU_H
#define SWIOTLB_DOMU_H

#include "../swiotlb_edu/edu.h"
#include "../swiotlb_parity/foreign.h"

/* What it all comes down to; 0 when it is right. */
int domu_grant(struct edu *edu);
int domu_restore(struct edu *edu);

#endif /* SWIOTLB_DOMU_H */
