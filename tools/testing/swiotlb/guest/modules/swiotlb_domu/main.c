// SPDX-License-Identifier: GPL-2.0
/*
 * Loaded into a PV domU without any device.
 *
 *   part=grant     grants pages to dom0, and checks them when dom0's device has used them
 *   part=restore   maps for a device that does not exist, while the domain is saved
 *                  and restored
 */
#include <linux/module.h>
#include <xen/xen.h>

#include "domu.h"

static char *part = "";
module_param(part, charp, 0444);
MODULE_PARM_DESC(part, "grant or restore");

static int __init domu_init(void)
{
	struct edu *edu;
	int err = -EINVAL;

	if (!xen_pv_domain())
		return -ENODEV;
	edu = kzalloc(sizeof(*edu), GFP_KERNEL);
	if (!edu)
		return -ENOMEM;
	edu->seed = 1;
	prandom_seed_state(&edu->rnd, edu->seed);
	if (!strcmp(part, "grant"))
		err = domu_grant(edu);
	else if (!strcmp(part, "restore"))
		err = domu_restore(edu);
	else
		pr_err("swiotlb_domu: part=%s: use grant or restore\n", part);
	kfree(edu);
	return err;
}
module_init(domu_init);

static void __exit domu_exit(void)
{
}
module_exit(domu_exit);

MODULE_DESCRIPTION("Tests of DMA that need a domU");
MODULE_LICENSE("GPL");
