/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lists that are read under RCU. The pointers that a reader follows are atomic. Readers
 * call count_list_step() for each element that they look at.
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
	(count_list_step(), container_of(rcu_dereference(ptr), type, member))

static inline void hlist_add_head_rcu(struct hlist_node *new, struct hlist_head *head)
{
	struct hlist_node *first = head->first;

	new->next = first;
	new->pprev = &head->first;
	if (first)
		first->pprev = &new->next;
	rcu_assign_pointer(head->first, new);
}

static inline void hlist_del_rcu(struct hlist_node *node)
{
	WRITE_ONCE(*node->pprev, node->next);
	if (node->next)
		node->next->pprev = node->pprev;
}

#define hlist_pos_rcu(ptr, type, member) ({					\
	struct hlist_node *_node = rcu_dereference(ptr);			\
	count_list_step();							\
	_node ? container_of(_node, type, member) : NULL;			\
})

#define hlist_for_each_entry_rcu(pos, head, member, ...)			\
	for (pos = hlist_pos_rcu((head)->first, typeof(*pos), member); pos;	\
	     pos = hlist_pos_rcu(pos->member.next, typeof(*pos), member))

#define list_for_each_entry_rcu(pos, head, member, ...)			\
	for (pos = list_entry_rcu((head)->next, typeof(*pos), member);	\
	     &pos->member != (head);					\
	     pos = list_entry_rcu(pos->member.next, typeof(*pos), member))

#endif
