/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What dom0 and the domU that grants it pages agree on.
 */
#ifndef SWIOTLB_FOREIGN_H
#define SWIOTLB_FOREIGN_H

#include <linux/sizes.h>

/*
 * Pages from all over the domU's memory, one every two megabytes: some have the numbers
 * of dom0's bounce buffers, of which there are 64 MiB. Page n holds the content of
 * salt n. The one more is where dom0 says that it is done.
 */
#define FOREIGN_EVERY	SZ_2M
#define FOREIGN_MOST	512
#define FOREIGN_DONE	0x646f6e65

/* What a device writes to a page that dom0 chose: its end, to here. */
#define FOREIGN_AT	100
#define FOREIGN_LEN	1000

#endif /* SWIOTLB_FOREIGN_H */
