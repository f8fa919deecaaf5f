// SPDX-License-Identifier: GPL-2.0
/*
 * Answers that drivers act on: masks, sizes, whether to sync.
 */
#include <linux/delay.h>
#include <linux/pfn.h>
#include <linux/rcupdate.h>

#include "parity.h"

#define MASK_LEAST	24
#define SMALL		SZ_16K
#define SMALL_MOST	SZ_8K	/* mappings of that size: twice a pool of 64 MiB */

/* The scenarios' machine has memory up to here, even if this guest has not. */
#define MACHINE_BITS	33

static int required(struct edu *edu, struct said *said)
{
	u64 highest = PFN_PHYS((u64)machine_highest() + 1) - 1;
	u64 mask = dma_get_required_mask(edu->dev);

	say(said, "%d bits ", fls64(mask));
	return mask >= highest && mask >= DMA_BIT_MASK(MACHINE_BITS) ? YES : -EIO;
}

/* Covers all memory, whatever the device itself reaches. */
int row_required_mask(struct edu *edu, struct said *said)
{
	int err = required(edu, said);

	return with_mask(edu, 64, said, required) ?: err;
}

static int unlimited(struct edu *edu, struct said *said)
{
	size_t size = dma_max_mapping_size(edu->dev);

	say(said, size == SIZE_MAX ? "64 bits: no limit" : "64 bits: %zu KiB", size >> 10);
	return size == SIZE_MAX ? YES : -EIO;
}

/* Only a device that may bounce is limited, to the 256 KiB that drivers are tuned to. */
int row_max_mapping(struct edu *edu, struct said *said)
{
	int err = with_mask(edu, 64, said, unlimited);
	size_t size = dma_max_mapping_size(edu->dev);

	say(said, "; 32 bits: %zu KiB", size >> 10);
	return size == SZ_256K ? err : -EIO;
}

static int needs_sync(struct edu *edu, struct said *said, bool bounce)
{
	bool bounced, need;
	int err = edu_need_sync(edu, EDU_HIGH, &bounced, &need);

	if (err)
		return err;
	say(said, "%s: %s ", bounced ? "bounced" : "direct", need ? "yes" : "no");
	return bounced == bounce && need == bounce ? YES : -EIO;
}

static int direct_needs_sync(struct edu *edu, struct said *said)
{
	return needs_sync(edu, said, false);
}

/* Ask it before anything has bounced for the device. */
int row_need_sync(struct edu *edu, struct said *said)
{
	int err = with_mask(edu, 64, said, direct_needs_sync);

	return needs_sync(edu, said, true) ?: err;
}

/* Map as often as the pool allows. The device would only read, so one buffer is enough. */
static int fill_below(struct edu *edu, struct edu_buf *buf, struct edu_map *map, u64 mask,
		      unsigned int *count)
{
	int err = 0;
	int n;

	for (n = 0; n < *count; n++) {
		if (edu_map_quiet(edu, &map[n], buf->mem, buf->size, DMA_TO_DEVICE))
			break;
		if (map[n].dma + buf->size - 1 > mask && !err) {
			edu_note("mapping %d lies at %pad, beyond mask %#llx", n, &map[n].dma,
				 mask);
			err = -EIO;
		}
	}
	*count = n;
	while (n--)
		edu_unmap(edu, &map[n]);
	rcu_barrier();		/* pools made for one mapping are freed late */
	return err;
}

/* When no pool is below a new mask, a worker may add one. */
static bool served_soon(struct edu *edu, struct edu_buf *buf, struct edu_map *map)
{
	unsigned int tries;

	for (tries = 0; tries < 50; tries++) {
		if (!edu_map_quiet(edu, map, buf->mem, buf->size, DMA_TO_DEVICE)) {
			edu_unmap(edu, map);
			return true;
		}
		msleep(20);
	}
	return false;
}

/*
 * With an accepted mask mappings succeed, and lie below it. If there turns out to be no
 * memory for a pool, the mask is refused from then on.
 */
static int supported(struct edu *edu, struct edu_buf *buf, struct edu_map *map,
		     unsigned int bits, unsigned int most)
{
	u64 mask = DMA_BIT_MASK(bits);
	int err;

	if (dma_set_mask(edu->dev, mask)) {
		edu_note("a mask of %u bits is refused", bits);
		return NOT_HERE;
	}
	if (!served_soon(edu, buf, map) && dma_set_mask(edu->dev, mask)) {
		edu_note("a mask of %u bits is refused, now that no pool could be had", bits);
		return NOT_HERE;
	}
	err = fill_below(edu, buf, map, mask, &most);
	edu_note("a mask of %u bits is accepted, %u mappings of %zu bytes", bits, most,
		 buf->size);
	return most ? err : -EIO;
}

static int supported_all(struct edu *edu, struct edu_buf *buf, struct edu_map *map,
			 struct said *said)
{
	unsigned int bits, least = 0;
	int err = 0, ret;

	for (bits = MASK_LEAST; bits <= 32; bits++) {
		/* Fill a whole pool with the first accepted mask, and with the last. */
		ret = supported(edu, buf, map, bits, least && bits < 32 ? 64 : SMALL_MOST);
		if (ret < 0) {
			say(said, "%u bits accepted, but not served ", bits);
			err = ret;
		}
		if (ret != NOT_HERE && !least)
			least = bits;
	}
	if (!err)
		say(said, "from %u bits", least);
	return least ? err : -EIO;
}

int row_supported_highest(struct edu *edu, struct said *said)
{
	struct edu_map *map = kvcalloc(SMALL_MOST, sizeof(*map), GFP_KERNEL);
	struct edu_buf buf;
	int err = -ENOMEM;

	if (map && !edu_alloc(edu, &buf, SMALL, EDU_HIGH)) {
		err = supported_all(edu, &buf, map, said);
		edu_free(&buf);
	}
	kvfree(map);
	return dma_set_mask(edu->dev, DMA_BIT_MASK(32)) ?: err;
}
