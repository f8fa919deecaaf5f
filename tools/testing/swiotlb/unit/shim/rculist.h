/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lists that are read under RCU. The pointers that a reader follows are atomic.
 */
#ifndef _SHIM_RCULIST_H
#define _SHIM_RCULIST_H

static inline void list_add_rcu(struct list_head *new, struct list_head *head)
{
	new->next = head->next;
	new->prev = head;
	head->next->prev = new;
	rcu_assign_pointer(head->next, new);
}

static inline void list_del_rcu(struct list_head *entry)
{
	entry->next->prev = entry->prev;
	WRITE_ONCE(entry->prev->next, entry->next);
}

#define INIT_LIST_HEAD_RCU(list)	INIT_LIST_HEAD(list)

#define list_entry_rcu(ptr, type, member) \
	container_of(rcu_dereference(ptr), type, member)

#define list_for_each_entry_rcu(pos, head, member, ...)			\
	for (pos = list_entry_rcu((head)->next, typeof(*pos), member);	\
	     &pos->member != (head);					\
	     pos = list_entry_rcu(pos->member.next, typeof(*pos), member))

#endif
