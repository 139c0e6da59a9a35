/* Transactions of the property test, made from JSON: names stand for transactions, numbers for keys
 * and specs. Nothing here knows a rule: what is asked for is built, right or wrong, and signed. */
#ifndef FX_QA_MODEL_MODEL_TX_H
#define FX_QA_MODEL_MODEL_TX_H

#include <jansson.h>

#include "consensus/task.h"
#include "qa/unit/consensus/job.h"

#define MODEL_KEYS 16

/* Members that must be there: anything else ends the program. */
json_t *model_member(const json_t *object, const char *name);
int64_t model_int(const json_t *value);
const char *model_text(const json_t *value);

const struct fx_test_key *model_key(unsigned number); /* below MODEL_KEYS */
int model_key_number(const struct fx_hash *xonly);    /* -1 for any other */

/*
 * [number, version, kind, client, deadline, window, exclusive, [m, n, k, task_rows, task_cols]]
 * Sets the spec of this number.
 */
void model_spec_set(const json_t *spec);

/*
 * A preimage: [state, origin or null, spec, index] and, of states other than 0,
 * escrow, bond, burn, solver, [variation, solver that the result is keyed by], and the tile.
 */
void model_task_read(const json_t *json, struct fx_task *task);
void model_preimage(const json_t *json, struct fx_buf *preimage);

/*
 * {"name", "version", "lock", "in": [{"out": "NAME:INDEX", "seq", "w": [item...]}],
 *  "out": [{"v": value, "to": {"key": number} | {"task": preimage} | {"any": 1} | {"note": text}}]}
 *
 * An item of a witness: {"a": byte} | {"sig": [key, action]} | {"pre": task} | {"claim": task} |
 * {"cert": [key, task]} | {"proof": [task, row, column]} | {"u32": [numbers]} |
 * {"tile": [task, tile]} | {"path": [task, tile]} | {"hex": text}, and of these changes any:
 * "flip" (the byte at this place, modulo the length), "cut" (bytes at the end), "pad".
 *
 * The transaction is known by its name from then on, and belongs to the register.
 */
struct fx_tx *model_tx_make(const json_t *json);
struct fx_tx *model_tx_get(const char *name); /* NULL: none of this name */
void model_tx_put(const char *name, struct fx_tx *tx);
/* "NAME:INDEX" of an outpoint of a known transaction, and back. */
struct fx_outpoint model_outpoint(const char *text);
json_t *model_outpoint_json(const struct fx_outpoint *outpoint);
/* Forgets transactions and specs. */
void model_tx_clear(void);

#endif
