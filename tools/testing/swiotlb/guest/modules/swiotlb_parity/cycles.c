// SPDX-License-Identifier: GPL-2.0
/*
 * Pools are added and freed many times. Afterwards their memory must be as contiguous
 * for devices as it was before.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <xen/xen.h>
#include <asm/xen/page.h>

#include "parity.h"

#define PIECE		SZ_64K
#define MAPPED_MOST	4096
#define POLL_MS		100
#define GROW_MS		3000
#define IDLE_MS		30000
#define SLOT		SZ_2K

static unsigned int cycles = 6;
module_param(cycles, uint, 0444);
MODULE_PARM_DESC(cycles, "how often pools come and go for the row grow-cycles");

/* This domain's memory, as its P2M table has it */
struct frames {
	unsigned long own;		/* pages that have a frame of their own */
	unsigned long low;		/* of these, frames below 4 GiB: added pools have them */
	unsigned long neighbours;	/* pages whose next page follows in the machine as well */
};

struct cycle {
	struct edu_buf buf;
	dma_addr_t dma[MAPPED_MOST];
	int mapped;
	long slots;	/* fewest, before anything grew */
	long most;	/* most, in all cycles */
	struct frames at_first;
};

static void count_frame(struct frames *frames, unsigned long pfn)
{
	unsigned long mfn = xen_p2m_addr[pfn];

	if (mfn & (FOREIGN_FRAME_BIT | IDENTITY_FRAME_BIT))
		return;
	frames->own++;
	frames->low += mfn < PHYS_PFN(SZ_4G);
	frames->neighbours += mfn + 1 == xen_p2m_addr[pfn + 1];
}

static struct frames count_frames(void)
{
	struct frames frames = {};
	unsigned long pfn;

	for (pfn = 0; pfn + 1 < xen_p2m_size; pfn++) {
		if (pfn_valid(pfn))
			count_frame(&frames, pfn);
		else
			pfn |= PAGES_PER_SECTION - 1;
	}
	return frames;
}

/* More slots than before? Pools that earlier rows added may be freed meanwhile. */
static bool has_grown(struct cycle *cycle)
{
	long now = swiotlb_counter("io_tlb_nslabs");

	cycle->slots = min(cycle->slots, now);
	return now > cycle->slots;
}

static bool map_again(struct edu *edu, struct cycle *cycle)
{
	dma_addr_t dma = dma_map_single_attrs(edu->dev, cycle->buf.mem, PIECE, DMA_TO_DEVICE,
					      DMA_ATTR_NO_WARN);

	if (dma_mapping_error(edu->dev, dma))
		return false;
	cycle->dma[cycle->mapped++] = dma;
	return true;
}

/* One buffer, mapped until there are more slots */
static int come(struct edu *edu, struct cycle *cycle)
{
	int left = GROW_MS;

	while (!has_grown(cycle)) {
		if (cycle->mapped == MAPPED_MOST || left <= 0)
			return -ENOSPC;
		if (map_again(edu, cycle))
			continue;
		msleep(POLL_MS);
		left -= POLL_MS;
	}
	cycle->most = max(cycle->most, swiotlb_counter("io_tlb_nslabs"));
	return 0;
}

static void let_go(struct edu *edu, struct cycle *cycle)
{
	while (cycle->mapped)
		dma_unmap_single(edu->dev, cycle->dma[--cycle->mapped], PIECE, DMA_TO_DEVICE);
}

/*
 * A pool's slots no longer count some time before its memory is exchanged back. During an
 * exchange the pages have no frames.
 */
static bool is_given_back(const struct cycle *cycle)
{
	struct frames now = count_frames();

	return now.own >= cycle->at_first.own && now.low <= cycle->at_first.low;
}

static int go_away(struct cycle *cycle)
{
	int left;

	for (left = IDLE_MS; left > 0; left -= POLL_MS) {
		if (!has_grown(cycle) && is_given_back(cycle))
			return 0;
		msleep(POLL_MS);
	}
	return -ETIMEDOUT;
}

/* An extent that is exchanged may lose its neighbour at each end, but none inside. */
static unsigned long may_lose(const struct cycle *cycle)
{
	return 2 * cycles * DIV_ROUND_UP((cycle->most - cycle->slots) * SLOT, SZ_2M);
}

static int all_cycles(struct edu *edu, struct cycle *cycle, struct said *said)
{
	unsigned long before, after;
	unsigned int i;
	int err = 0;

	cycle->at_first = count_frames();
	for (i = 0; !err && i < cycles; i++) {
		err = come(edu, cycle);
		let_go(edu, cycle);
		err = err ?: go_away(cycle);
	}
	before = cycle->at_first.neighbours;
	after = count_frames().neighbours;
	say(said, "%u cycles, %ld to %ld slots, %lu of %lu neighbours", i, cycle->slots,
	    cycle->most, after, before);
	if (err == -ENOSPC)
		say(said, ": does not grow");
	else if (err)
		say(said, ": does not shrink");
	return err ?: after + may_lose(cycle) < before ? -EIO : 0;
}

int row_grow_cycles(struct edu *edu, struct said *said)
{
	struct cycle *cycle;
	int err;

	if (!xen_pv_domain())
		return NOT_HERE;
	cycle = kvzalloc(sizeof(*cycle), GFP_KERNEL);
	if (!cycle)
		return -ENOMEM;
	cycle->slots = swiotlb_counter("io_tlb_nslabs");
	err = cycle->slots < 0 ? cycle->slots : edu_alloc(edu, &cycle->buf, PIECE, EDU_HIGH);
	if (!err)
		err = all_cycles(edu, cycle, said);
	edu_free(&cycle->buf);
	kvfree(cycle);
	return err;
}
