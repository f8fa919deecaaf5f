// SPDX-License-Identifier: GPL-2.0
/*
 * The edu device: registers, one transfer either way, and a scratch buffer to
 * write and read the device's own memory with.
 */
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/iopoll.h>

#include "edu.h"

#define EDU_ID		0x00
#define EDU_DMA_SRC	0x80
#define EDU_DMA_DST	0x88
#define EDU_DMA_COUNT	0x90
#define EDU_DMA_CMD	0x98
#define EDU_CMD_RUN	BIT(0)
#define EDU_CMD_STORE	BIT(1)	/* device to memory */

#define EDU_ID_MASK	0xffff
#define EDU_ID_VALUE	0x00ed

/* Where edu's own memory lies in its address space; EDU_MAX_LEN bytes of it are used. */
#define EDU_MEMORY	0x40000

#define EDU_TRANSFER_US	100000
#define EDU_TIMEOUT_US	5000000

/* Scratch: the middle of two pages, so that a wrong address stays inside. */
#define SCRATCH_SIZE	(2 * PAGE_SIZE)
#define SCRATCH_AT	EDU_BLOCK

/* Write all 64 bits at once: edu ignores the upper half of two writes. */
static void edu_write_reg(struct edu *edu, unsigned int reg, u64 value)
{
	writeq(value, edu->regs + reg);
}

static int edu_transfer(struct edu *edu, u64 src, u64 dst, unsigned int len, u32 cmd)
{
	u32 status;
	int err;

	if (!len || len > EDU_MAX_LEN)
		return -EINVAL;

	edu_write_reg(edu, EDU_DMA_SRC, src);
	edu_write_reg(edu, EDU_DMA_DST, dst);
	edu_write_reg(edu, EDU_DMA_COUNT, len);
	iowrite32(cmd | EDU_CMD_RUN, edu->regs + EDU_DMA_CMD);

	fsleep(EDU_TRANSFER_US);
	err = readx_poll_timeout(ioread32, edu->regs + EDU_DMA_CMD, status,
				 !(status & EDU_CMD_RUN), 1000, EDU_TIMEOUT_US);
	if (err) {
		edu_note("transfer of %u bytes did not end within 5 s", len);
		return err;
	}
	edu->transfers++;
	edu->moved += len;
	return 0;
}

/*
 * With wrong_by= the device writes beside its target on purpose. It may only write
 * to memory of the module: to the 2 KiB blocks (slots, or halves of frames) that the
 * mapping takes up. All buffers are whole pages.
 */
static bool edu_may_store(const struct edu *edu, const struct edu_map *map,
			  size_t off, unsigned int len)
{
	dma_addr_t start = map->dma - edu->wrong_by;
	dma_addr_t end = round_up(start + map->size, EDU_BLOCK);

	return !edu->wrong_by || map->dma + off + len <= end;
}

/* Device reads @len bytes at @off of the mapping into its memory at @at. */
int edu_load(struct edu *edu, const struct edu_map *map, size_t off,
	     unsigned int at, unsigned int len)
{
	return edu_transfer(edu, map->dma + off, EDU_MEMORY + at, len, 0);
}

/* Device writes @len bytes of its memory at @at to @off of the mapping. */
int edu_store(struct edu *edu, const struct edu_map *map, size_t off,
	      unsigned int at, unsigned int len)
{
	if (!edu_may_store(edu, map, off, len)) {
		edu_note("wrong_by: a write of %u bytes would leave the buffer, not done", len);
		return -EPERM;
	}
	return edu_transfer(edu, EDU_MEMORY + at, map->dma + off, len, EDU_CMD_STORE);
}

static struct edu_map edu_scratch(struct edu *edu)
{
	struct edu_map map = {
		.mem = edu->pages,
		.size = SCRATCH_SIZE,
		.dma = edu->pages_dma,
		.dir = DMA_BIDIRECTIONAL,
	};

	return map;
}

/* Fill the device's memory with the content that belongs to @salt. */
int edu_write(struct edu *edu, u32 salt)
{
	struct edu_map scratch = edu_scratch(edu);

	edu_fill(edu, scratch.mem + SCRATCH_AT, EDU_MAX_LEN, salt, 0);
	return edu_load(edu, &scratch, SCRATCH_AT, 0, EDU_MAX_LEN);
}

/* Read the first @len bytes of the device's memory; NULL when that failed. */
u8 *edu_read(struct edu *edu, unsigned int len)
{
	struct edu_map scratch = edu_scratch(edu);

	memset(scratch.mem, 0xee, scratch.size);
	if (edu_store(edu, &scratch, SCRATCH_AT, 0, len))
		return NULL;
	return scratch.mem + SCRATCH_AT;
}

int edu_device_open(struct edu *edu)
{
	u32 id = ioread32(edu->regs + EDU_ID);

	if ((id & EDU_ID_MASK) != EDU_ID_VALUE) {
		dev_err(edu->dev, "identification %#x is not edu's: is this QEMU's device?\n", id);
		return -ENODEV;
	}
	edu->pages = dma_alloc_coherent(edu->dev, SCRATCH_SIZE, &edu->pages_dma, GFP_KERNEL);
	return edu->pages ? 0 : -ENOMEM;
}

void edu_device_close(struct edu *edu)
{
	dma_free_coherent(edu->dev, SCRATCH_SIZE, edu->pages, edu->pages_dma);
}
