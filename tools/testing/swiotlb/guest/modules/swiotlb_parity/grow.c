// SPDX-License-Identifier: GPL-2.0
/*
 * Growing when a pool is full, shrinking when idle, and growing when the machine has no
 * memory left.
 */
#include <linux/delay.h>
#include <linux/mm.h>

#include "parity.h"

#define PIECE		SZ_64K
#define SLOT		SZ_2K
#define ENOUGH		(SZ_8M / SLOT)	/* so many new slots prove that it grows */
#define ROUNDS		30
#define ROUND_MS	100
#define IDLE_MS		60000
/* Half of the last pool that was added: fill_all() may have used some of it already. */
#define SERVED		(SZ_2M / PIECE)
#define SHOWN		4		/* mappings that the device itself moves */
#define LOW_BITS	28

static long slots_at_first;	/* before any of these rows */

static long slots(void)
{
	return swiotlb_counter("io_tlb_nslabs");
}

int fill_open(struct fill *fill)
{
	fill->count = 0;
	fill->slots_before = slots();
	if (fill->slots_before < 0) {
		edu_note("no counter of slots: %ld", fill->slots_before);
		return fill->slots_before;
	}
	slots_at_first = slots_at_first ?: fill->slots_before;
	/* Twice what there is room for: rows before may have made pools that are still there. */
	fill->most = 2 * fill->slots_before * SLOT / PIECE;
	fill->held = kvcalloc(fill->most, sizeof(*fill->held), GFP_KERNEL);
	return fill->held ? 0 : -ENOMEM;
}

/* Map one more buffer, filled with the content of salt @count. */
static int fill_one(struct edu *edu, struct fill *fill)
{
	struct held *held = &fill->held[fill->count];

	if (fill->count == fill->most - 1)
		return -E2BIG;
	if (!held->buf.mem && edu_alloc(edu, &held->buf, PIECE, EDU_HIGH))
		return -E2BIG;
	edu_fill(edu, held->buf.mem, PIECE, fill->count, 0);
	if (edu_map_quiet(edu, &held->map, held->buf.mem, PIECE, DMA_BIDIRECTIONAL))
		return -ENOSPC;
	fill->count++;
	return 0;
}

/* Pools that earlier rows added may be freed meanwhile. */
static bool has_grown(struct fill *fill, long enough)
{
	long now = slots();

	fill->slots_before = min(fill->slots_before, now);
	return now >= fill->slots_before + enough;
}

/* Until there are @enough more slots: map until that fails, then give a worker time. */
int fill_all(struct edu *edu, struct fill *fill, long enough)
{
	int round, err = 0;

	for (round = 0; round < ROUNDS && !has_grown(fill, enough); round++) {
		do {
			err = fill_one(edu, fill);
		} while (!err && !has_grown(fill, enough));
		if (err == -E2BIG)
			break;
		msleep(ROUND_MS);
	}
	return has_grown(fill, enough) ? 0 : -ENOSPC;
}

/* Fill the pool except two slot sets. */
int fill_most(struct edu *edu, struct fill *fill)
{
	long most = fill->slots_before * SLOT / PIECE - 2 * SZ_256K / PIECE;
	int err = 0;

	while (!err && fill->count < most)
		err = fill_one(edu, fill);
	return err;
}

/* The CPU checks all mappings; the device moves the end of a few to their start. */
int fill_check(struct edu *edu, struct fill *fill, u64 mask)
{
	struct held *held;
	int err = 0;
	int i;

	for (i = 0; !err && i < fill->count; i++) {
		held = &fill->held[i];
		if (held->map.dma + PIECE - 1 > mask) {
			edu_note("mapping %d lies at %pad, beyond mask %#llx", i, &held->map.dma,
				 mask);
			err = -EIO;
		}
		memset(held->buf.mem, 0, PIECE);
		dma_sync_single_for_cpu(edu->dev, held->map.dma, PIECE, DMA_BIDIRECTIONAL);
		err = err ?: edu_check(edu, held->buf.mem, PIECE, i, 0, "held mapping");
	}
	for (i = 0; !err && i < SHOWN && fill->count; i++)
		err = moves(edu, &fill->held[(fill->count - 1) * i / (SHOWN - 1)].map, true);
	return err;
}

static void fill_unmap(struct edu *edu, struct fill *fill)
{
	while (fill->count)
		edu_unmap(edu, &fill->held[--fill->count].map);
}

void fill_close(struct edu *edu, struct fill *fill)
{
	int i;

	fill_unmap(edu, fill);
	for (i = 0; i < fill->most; i++)
		edu_free(&fill->held[i].buf);
	kvfree(fill->held);
}

static int grown(struct edu *edu, struct said *said)
{
	struct fill fill;
	int more, err;

	err = fill_open(&fill);
	if (err)
		return err;
	err = fill_all(edu, &fill, ENOUGH);
	say(said, "%ld to %ld slots", fill.slots_before, slots());
	for (more = 0; !err && more < SERVED; more++)
		err = fill_one(edu, &fill);
	if (err && slots() > fill.slots_before)
		say(said, ", no use to this device");
	if (fill_check(edu, &fill, *edu->dev->dma_mask)) {
		say(said, ", wrong data");
		err = -EIO;
	}
	fill_close(edu, &fill);
	return err;
}

int row_grow(struct edu *edu, struct said *said)
{
	return grown(edu, said);
}

/* New pools are below the mask of the device that ran out, not only below 4 GiB. */
int row_grow_below_mask(struct edu *edu, struct said *said)
{
	say(said, "%d bits: ", LOW_BITS);
	return with_mask(edu, LOW_BITS, said, grown);
}

/* All pools that these rows added are freed when nothing is mapped. */
int row_shrink(struct edu *edu, struct said *said)
{
	struct fill fill;
	int left, err;

	err = fill_open(&fill);
	if (err)
		return err;
	err = fill_all(edu, &fill, ENOUGH);
	say(said, "%ld to %ld slots", fill.slots_before, slots());
	fill_close(edu, &fill);
	for (left = IDLE_MS; left > 0 && slots() > slots_at_first; left -= ROUND_MS)
		msleep(ROUND_MS);
	say(said, ", %ld after %d s, %ld at first", slots(), (IDLE_MS - left) / 1000,
	    slots_at_first);
	return err ?: slots() > slots_at_first ? -EIO : 0;
}

/* Coherent memory, to take all contiguous memory that the device reaches. */
struct eaten {
	struct eaten *next;
	dma_addr_t dma;
	size_t size;
};

/* The list is kept in the memory itself. */
static struct eaten *eat(struct edu *edu, struct eaten *list, size_t size, u64 *sum)
{
	struct eaten *piece;
	dma_addr_t dma;

	for (;;) {
		piece = dma_alloc_coherent(edu->dev, size, &dma, GFP_KERNEL | __GFP_NOWARN);
		if (!piece)
			return list;
		piece->next = list;
		piece->dma = dma;
		piece->size = size;
		list = piece;
		*sum += size;
	}
}

static void spit_out(struct edu *edu, struct eaten *list)
{
	struct eaten *next;

	for (; list; list = next) {
		next = list->next;
		dma_free_coherent(edu->dev, list->size, list, list->dma);
	}
}

/*
 * When no memory is left, new mappings fail as if pools could not grow, and old ones
 * stay right. When there is memory again, pools grow.
 */
int row_grow_exhausted(struct edu *edu, struct said *said)
{
	struct eaten *list = NULL;
	struct fill fill;
	size_t size;
	u64 sum = 0;
	int err;

	err = fill_open(&fill);
	if (err)
		return err;
	for (size = SZ_2M; size >= PAGE_SIZE; size /= 2)
		list = eat(edu, list, size, &sum);
	say(said, "%llu MiB taken", sum >> 20);

	edu_note("nothing left from here");
	err = fill_all(edu, &fill, ENOUGH);
	if (!err) {
		say(said, ", but grown");
		err = -EIO;
	} else {
		err = fill_check(edu, &fill, *edu->dev->dma_mask);
		say(said, ", %d mappings %s", fill.count, err ? "wrong" : "right");
	}
	edu_note("there is memory again");
	spit_out(edu, list);
	msleep(2000);
	if (!err)
		err = fill_all(edu, &fill, ENOUGH);
	say(said, ", then %ld to %ld slots", fill.slots_before, slots());
	fill_close(edu, &fill);
	return err;
}
