/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_X86_SWIOTLB_H
#define _ASM_X86_SWIOTLB_H

#ifdef CONFIG_SWIOTLB
void pci_swiotlb_detect(void);
void pci_swiotlb_init(void);
void pci_swiotlb_settle(void);
#else
static inline void pci_swiotlb_detect(void)
{
}

static inline void pci_swiotlb_init(void)
{
}

static inline void pci_swiotlb_settle(void)
{
}
#endif

#ifdef CONFIG_XEN_PV
void pci_xen_swiotlb_init(void);
void pci_xen_swiotlb_init_late(void);
#else
static inline void pci_xen_swiotlb_init(void)
{
}
#endif

#endif /* _ASM_X86_SWIOTLB_H */
