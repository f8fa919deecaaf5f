// SPDX-License-Identifier: GPL-2.0
/*
 * A domain that is saved and restored gets other machine frames. Mappings made
 * afterwards have to lead to those. See held.c for memory that is held meanwhile.
 */
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/platform_device.h>
#include <linux/sched.h>
#include <asm/xen/page.h>

#include "domu.h"

#define PIECE		SZ_64K
#define HELD		64
#define ROUND_MS	100
#define ROUNDS_AFTER	10
#define WAIT_S		90

static int resumed;

static int on_restore(struct device *dev)
{
	resumed++;
	return 0;
}

static const struct dev_pm_ops pm = { .restore = on_restore };

static struct platform_driver driver = {
	.driver = { .name = KBUILD_MODNAME, .pm = &pm },
};

/* Are all frames this domain's, one after the other? *first: pfn of the first one. */
static int frames_ours(const struct edu_map *map, unsigned long *first)
{
	unsigned long mfn = PHYS_PFN(map->dma);
	unsigned long pfn = bfn_to_local_pfn(mfn);
	unsigned int i;

	*first = pfn;
	for (i = 0; i < PFN_UP(offset_in_page(map->dma) + map->size); i++) {
		if (pfn_valid(pfn + i) && pfn_to_mfn(pfn + i) == mfn + i)
			continue;
		edu_note("page %u at %pad: frame %#lx is not that of pfn %#lx", i, &map->dma,
			 mfn + i, pfn + i);
		return -EIO;
	}
	return 0;
}

int map_is_ours(const struct edu_map *map)
{
	unsigned long pfn;

	return frames_ours(map, &pfn);
}

static int check_one(struct edu *edu, const struct edu_map *map, u32 salt, bool bounce)
{
	unsigned long pfn;

	if (frames_ours(map, &pfn))
		return -EIO;
	if (bounce && pfn == PHYS_PFN(virt_to_phys(map->mem))) {
		edu_note("pfn %#lx at %pad did not bounce", pfn, &map->dma);
		return -EIO;
	}
	return edu_check_bounce(edu, map, salt);
}

/* Every mapping is undone before this returns: none is held over a suspend. */
static int one_round(struct edu *edu, struct piece *piece, unsigned int bits)
{
	int n, i, err;

	err = dma_set_mask(edu->dev, DMA_BIT_MASK(bits));
	if (err)
		return err;
	for (n = 0; n < HELD; n++) {
		edu_fill(edu, piece[n].buf.mem, PIECE, n, 0);
		err = edu_map(edu, &piece[n].map, piece[n].buf.mem, PIECE, DMA_BIDIRECTIONAL);
		if (err)
			break;
	}
	for (i = 0; !err && i < n; i++)
		err = check_one(edu, &piece[i].map, i, bits == 32);
	while (n--)
		edu_unmap(edu, &piece[n].map);
	return err;
}

/*
 * A domain is suspended when all its processes sleep where they may be frozen. A process
 * that is busy when freezing begins is sent a signal, which would end an interruptible
 * sleep at once.
 */
static void doze(void)
{
	set_current_state(TASK_UNINTERRUPTIBLE | TASK_FREEZABLE);
	schedule_timeout(msecs_to_jiffies(ROUND_MS));
}

static const char *outcome(int err)
{
	if (!resumed)
		return "never restored";
	if (!err)
		return "right";
	return err == -ENOMEM ? "refused" : "wrong frames";
}

static int map_rounds(struct edu *edu, struct piece *piece)
{
	int left, before = 0, after = 0, err = 0;

	for (left = WAIT_S * 1000 / ROUND_MS; !err && left && after < ROUNDS_AFTER; left--) {
		err = one_round(edu, piece, 32) ?: one_round(edu, piece, 64);
		if (resumed)
			after++;
		else if (++before == ROUNDS_AFTER)
			pr_info("# SAVE ME\n");
		doze();
	}
	if (!err && !resumed)
		err = -ETIMEDOUT;
	pr_info("# ROW save-restore %s %d rounds before, %d after: %s\n", err ? "no" : "yes",
		before, after, outcome(err));
	return err;
}

/* Stock looks up the page of a stale DMA address, and crashes when it uses that. */
static bool may_hold(void)
{
	return IS_ENABLED(CONFIG_ARCH_HAS_DMA_MACHINE);
}

static int with_held(struct edu *edu, struct piece *piece)
{
	struct held_over held = { };
	int err = 0;

	if (may_hold())
		err = held_take(edu, &held);
	err = err ?: map_rounds(edu, piece);
	if (!err && may_hold())
		err = dma_set_mask(edu->dev, DMA_BIT_MASK(32)) ?:
			held_check(edu, &held, piece, HELD);
	pr_info("# HELD %s\n", !may_hold() ? "-" : err ? "no" : "yes");
	held_drop(edu, &held);
	return err;
}

static int with_buffers(struct edu *edu)
{
	struct piece *piece = kvcalloc(HELD, sizeof(*piece), GFP_KERNEL);
	int n, err = 0;

	if (!piece)
		return -ENOMEM;
	for (n = 0; !err && n < HELD; n++)
		err = edu_alloc(edu, &piece[n].buf, PIECE, EDU_HIGH);
	if (!err)
		err = with_held(edu, piece);
	for (n = 0; n < HELD; n++)
		edu_free(&piece[n].buf);
	kvfree(piece);
	return err;
}

static int with_device(struct edu *edu)
{
	struct platform_device *pdev;
	int err;

	pdev = platform_device_register_simple(KBUILD_MODNAME, PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	edu->dev = &pdev->dev;
	pr_info("# asking save-restore\n");
	err = with_buffers(edu);
	platform_device_unregister(pdev);
	return err;
}

int domu_restore(struct edu *edu)
{
	int err = platform_driver_register(&driver);

	if (err)
		return err;
	err = with_device(edu);
	platform_driver_unregister(&driver);
	return err;
}
