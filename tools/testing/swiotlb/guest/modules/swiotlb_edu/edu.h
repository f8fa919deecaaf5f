/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DMA tests on QEMU's edu device: declarations for the files of this module.
 *
 * A test never looks into swiotlb. It checks two things: what the device reads
 * and writes (the machine address must be right, or the data is wrong), and what
 * the CPU sees before and after a sync (which tells a bounced mapping from a
 * direct one, see edu_bounced()). Both work natively and under Xen.
 */
#ifndef SWIOTLB_EDU_H
#define SWIOTLB_EDU_H

#include <linux/dma-mapping.h>
#include <linux/pci.h>
#include <linux/prandom.h>
#include <linux/sizes.h>

/* The most that edu moves at a time: one byte more stops QEMU. */
#define EDU_MAX_LEN	4095

/* A slot, or half a frame. A mapping has whole blocks of this size to itself. */
#define EDU_BLOCK	SZ_2K

/* A test that has nothing to test here returns this and sets edu->why. */
#define EDU_SKIP	1

enum edu_zone {
	EDU_LOW,	/* memory below 4 GiB */
	EDU_HIGH,	/* memory above 4 GiB, when the machine has it */
	EDU_MAPPABLE,	/* the highest that a 32-bit device can map here */
};

enum edu_expect {
	EXPECT_ANY,
	EXPECT_BOUNCE,
	EXPECT_DIRECT,
	EXPECT_ERROR,
};

struct edu {
	struct pci_dev *pdev;
	struct device *dev;
	void __iomem *regs;
	void *pages;		/* coherent, the scratch buffer in its middle */
	dma_addr_t pages_dma;
	struct rnd_state rnd;
	enum edu_expect expect;		/* of buffers above 4 GiB */
	enum edu_expect expect_low;	/* of buffers below */
	unsigned int seed;
	unsigned int wrong_by;
	unsigned int transfers;
	u64 moved;
	const char *why;
};

/* Pages of our own, to be mapped whole or in part. */
struct edu_buf {
	u8 *mem;
	size_t size;
};

/* A mapping: its address for the CPU and for the device. */
struct edu_map {
	u8 *mem;
	size_t size;
	dma_addr_t dma;
	enum dma_data_direction dir;
};

#define edu_note(fmt, ...) pr_info("    # " fmt "\n", ##__VA_ARGS__)

/* device.c */
int edu_load(struct edu *edu, const struct edu_map *map, size_t off,
	     unsigned int at, unsigned int len);
int edu_store(struct edu *edu, const struct edu_map *map, size_t off,
	      unsigned int at, unsigned int len);
int edu_write(struct edu *edu, u32 salt);
u8 *edu_read(struct edu *edu, unsigned int len);
int edu_device_open(struct edu *edu);
void edu_device_close(struct edu *edu);

/* buffer.c */
u32 edu_random(struct edu *edu, u32 below);
void edu_fill(const struct edu *edu, void *mem, size_t len, u32 salt, size_t from);
int edu_check(const struct edu *edu, const void *mem, size_t len, u32 salt,
	      size_t from, const char *what);
int edu_alloc(struct edu *edu, struct edu_buf *buf, size_t size, enum edu_zone zone);
void edu_free(struct edu_buf *buf);
int edu_map(struct edu *edu, struct edu_map *map, void *mem, size_t size,
	    enum dma_data_direction dir);
int edu_map_quiet(struct edu *edu, struct edu_map *map, void *mem, size_t size,
		  enum dma_data_direction dir);
void edu_unmap(struct edu *edu, struct edu_map *map);
bool edu_bounced(struct edu *edu, const struct edu_map *map);
int edu_need_sync(struct edu *edu, enum edu_zone zone, bool *bounced, bool *need);
int edu_check_bounce(struct edu *edu, const struct edu_map *map, u32 salt);
int edu_check_map(struct edu *edu, const struct edu_map *map, bool streaming);

/* single.c */
int test_device_answers(struct edu *edu, enum edu_zone zone);
int test_expected_path(struct edu *edu, enum edu_zone zone);
int test_to_device(struct edu *edu, enum edu_zone zone);
int test_from_device(struct edu *edu, enum edu_zone zone);
int test_large(struct edu *edu, enum edu_zone zone);
int test_partial_write(struct edu *edu, enum edu_zone zone);
int test_skip_cpu_sync(struct edu *edu, enum edu_zone zone);

/* sg.c */
int test_sg_to_device(struct edu *edu, enum edu_zone zone);
int test_sg_from_device(struct edu *edu, enum edu_zone zone);
int test_sg_sync(struct edu *edu, enum edu_zone zone);

/* sync.c */
int test_sync_for_cpu(struct edu *edu, enum edu_zone zone);
int test_sync_for_device(struct edu *edu, enum edu_zone zone);
int test_sync_transfer(struct edu *edu, enum edu_zone zone);

/* alloc.c */
int test_coherent_sizes(struct edu *edu, enum edu_zone zone);
int test_coherent_data(struct edu *edu, enum edu_zone zone);
int test_coherent_masks(struct edu *edu, enum edu_zone zone);
int test_coherent_atomic(struct edu *edu, enum edu_zone zone);
int test_coherent_reuse(struct edu *edu, enum edu_zone zone);
int test_alloc_pages(struct edu *edu, enum edu_zone zone);
int test_alloc_noncontiguous(struct edu *edu, enum edu_zone zone);
int test_map_resource(struct edu *edu, enum edu_zone zone);

/* limits.c */
int test_required_mask(struct edu *edu, enum edu_zone zone);
int test_need_sync(struct edu *edu, enum edu_zone zone);
int test_need_sync_64bit(struct edu *edu, enum edu_zone zone);
int test_max_mapping(struct edu *edu, enum edu_zone zone);
int test_beyond_max_mapping(struct edu *edu, enum edu_zone zone);
int test_outstanding(struct edu *edu, enum edu_zone zone);
int test_min_align_mask(struct edu *edu, enum edu_zone zone);
int test_seg_boundary(struct edu *edu, enum edu_zone zone);

#endif /* SWIOTLB_EDU_H */
