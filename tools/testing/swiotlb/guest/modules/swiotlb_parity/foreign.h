/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by dom0 and the domU that grants it pages.
 */
#ifndef SWIOTLB_FOREIGN_H
#define SWIOTLB_FOREIGN_H

#include <linux/sizes.h>

/*
 * Pages from all over the domU's memory, one every 2 MiB. Some have the pfn that one of
 * dom0's bounce buffers has in dom0, where 64 MiB are bounce buffers. Page n holds the
 * content of salt n. Dom0 writes FOREIGN_DONE to the last page when it is done.
 */
#define FOREIGN_EVERY	SZ_2M
#define FOREIGN_MOST	512
#define FOREIGN_DONE	0x646f6e65

/* The device copies the last FOREIGN_LEN bytes of a page to this place in it. */
#define FOREIGN_AT	100
#define FOREIGN_LEN	1000

#endif /* SWIOTLB_FOREIGN_H */
