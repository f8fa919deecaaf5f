/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Things of the kernel that have nothing to do in userspace.
 */
#ifndef _SHIM_STUBS_H
#define _SHIM_STUBS_H

struct dentry;
struct file;
struct inode;
struct module;

#define EXPORT_SYMBOL(sym)	extern int __exported_##sym
#define EXPORT_SYMBOL_GPL(sym)	EXPORT_SYMBOL(sym)

/* The tracepoint is never on. */
#define trace_swiotlb_bounced_enabled()		0
#define trace_swiotlb_bounced(dev, addr, size)	((void)(addr))

static inline void pci_request_acs(void)
{
}

struct notifier_block {
	int (*notifier_call)(struct notifier_block *nb, unsigned long action, void *data);
};

#define NOTIFY_OK	1

static inline void xen_resume_notifier_register(struct notifier_block *nb)
{
}

#define cond_resched()		do { } while (0)
#define might_resched()		do { } while (0)

#endif
