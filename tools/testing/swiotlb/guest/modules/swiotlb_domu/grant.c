// SPDX-License-Identifier: GPL-2.0
/*
 * Pages granted to dom0: their references go to the console, and in the end every
 * byte is compared.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <xen/grant_table.h>
#include <xen/page.h>

#include "domu.h"

#define WAIT_S		60
#define ON_A_LINE	16

struct granted {
	struct page *page[FOREIGN_MOST];
	grant_ref_t ref[FOREIGN_MOST];
	unsigned int count;
	unsigned int wrong;
};

/* Take one page of each free block of FOREIGN_EVERY bytes; give the others back. */
static unsigned int take_pages(struct page **taken)
{
	LIST_HEAD(spare);
	struct page *page, *next;
	unsigned int n = 0, got = 0;
	const unsigned int order = get_order(FOREIGN_EVERY);

	while (n < FOREIGN_MOST) {
		page = alloc_pages(GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY, order);
		if (!page)
			break;
		split_page(page, order);
		taken[n++] = page;
		for (got = 1; got < BIT(order); got++)
			list_add(&page[got].lru, &spare);
		if (!(n % 64))
			cond_resched();
	}
	list_for_each_entry_safe(page, next, &spare, lru)
		__free_page(page);
	return n;
}

static void grant_all(struct edu *edu, struct granted *granted)
{
	unsigned int i;
	int ref;

	for (i = 0; i < granted->count; i++) {
		edu_fill(edu, page_address(granted->page[i]), PAGE_SIZE, i, 0);
		ref = gnttab_grant_foreign_access(0, xen_page_to_gfn(granted->page[i]), 0);
		if (ref < 0)
			break;
		granted->ref[i] = ref;
	}
	while (granted->count > i)
		__free_page(granted->page[--granted->count]);
}

static void tell(const struct granted *granted)
{
	char line[ON_A_LINE * 12];
	unsigned int i;
	int len = 0;

	for (i = 0; i < granted->count; i++) {
		len += scnprintf(line + len, sizeof(line) - len, ",%u", granted->ref[i]);
		if ((i + 1) % ON_A_LINE && i + 1 < granted->count)
			continue;
		pr_info("# GRANTS %s\n", line + 1);
		len = 0;
	}
	pr_info("# GRANTED %u\n", granted->count);
}

static bool wait_for_dom0(const struct granted *granted)
{
	u32 *word = page_address(granted->page[granted->count - 1]);
	int left;

	for (left = WAIT_S * 10; left; left--) {
		if (READ_ONCE(*word) == FOREIGN_DONE)
			return true;
		msleep(100);
	}
	return false;
}

/* Is the page as it was, or with its end copied to near its start (*moved)? */
static bool page_right(const struct edu *edu, const u8 *mem, u32 salt, bool *moved)
{
	u8 *want = kmalloc(PAGE_SIZE, GFP_KERNEL);
	bool right;

	if (!want)
		return false;
	edu_fill(edu, want, PAGE_SIZE, salt, 0);
	*moved = memcmp(mem, want, PAGE_SIZE);
	if (*moved)
		memcpy(want + FOREIGN_AT, want + PAGE_SIZE - FOREIGN_LEN, FOREIGN_LEN);
	right = !memcmp(mem, want, PAGE_SIZE);
	kfree(want);
	return right;
}

static int compare(const struct edu *edu, const struct granted *granted)
{
	unsigned int i, wrong = 0, moves = 0;
	bool moved;

	for (i = 0; i < granted->count - 1; i++) {
		if (!page_right(edu, page_address(granted->page[i]), i, &moved))
			wrong++;
		moves += moved;
	}
	pr_info("# RECEIVED %u of %u pages, %u wrong\n", moves, granted->count - 1, wrong);
	return wrong ? -EIO : 0;
}

int domu_grant(struct edu *edu)
{
	struct granted *granted = kvzalloc(sizeof(*granted), GFP_KERNEL);
	int err = -ENOMEM;
	unsigned int i;

	if (!granted)
		return err;
	granted->count = take_pages(granted->page);
	grant_all(edu, granted);
	if (granted->count > 1) {
		tell(granted);
		err = wait_for_dom0(granted) ? compare(edu, granted) : -ETIMEDOUT;
	}
	/* The grant table frees the pages when dom0 has unmapped them. */
	for (i = 0; i < granted->count; i++)
		gnttab_end_foreign_access(granted->ref[i], granted->page[i]);
	kvfree(granted);
	return err;
}
