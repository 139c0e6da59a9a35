/* Reading what the node answers. */
#ifndef FX_MINER_PARSE_H
#define FX_MINER_PARSE_H

#include "src/miner/node.h"

/* A member of an object; false where it is absent or of another form. json may be NULL. */
bool fx_miner_get_u32(const json_t *json, const char *name, uint32_t *out);
bool fx_miner_get_u64(const json_t *json, const char *name, uint64_t *out);
bool fx_miner_get_amount(const json_t *json, const char *name, int64_t *out); /* embers */
bool fx_miner_get_root(const json_t *json, const char *name, struct fx_hash *out);
bool fx_miner_get_id(const json_t *json, const char *name, struct fx_hash *out);

/*
 * Whole answers; false where the object is not such a thing. The rectangle of a task lies in its
 * product. A task of an unknown kind has kind 0 and neither shape nor operands.
 */
bool fx_miner_task_parse(const json_t *json, struct fx_miner_task *task);
bool fx_miner_work_parse(const json_t *json, struct fx_miner_work *work);
bool fx_miner_chain_parse(const json_t *json, struct fx_miner_chain *chain);

#endif
