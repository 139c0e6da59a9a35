/* A made-up chain for tests of task spends and work proofs: coins, records and ancestors in memory,
 * and look-ups that can be told to fail. */
#ifndef FX_QA_UNIT_CONSENSUS_SCENE_H
#define FX_QA_UNIT_CONSENSUS_SCENE_H

#include "consensus/view.h"

#define FX_SCENE_HEIGHTS 4096
#define FX_SCENE_ITEMS 8200

struct fx_scene {
    struct fx_view view; /* ctx is the scene: it does not move */
    uint32_t tip;        /* the parent's height: at most FX_SCENE_HEIGHTS - 1 */
    uint8_t lane[FX_SCENE_HEIGHTS];
    struct fx_hash solver[FX_SCENE_HEIGHTS];
    struct {
        struct fx_outpoint outpoint;
        struct fx_coin coin;
    } coins[8];
    size_t n_coins;
    struct {
        struct fx_outpoint origin;
        struct fx_task_record record;
    } * records; /* room for FX_SCENE_ITEMS */
    size_t n_records;
    bool fail_coin, fail_record, fail_ancestor, fail_beacon;
};

/* All blocks of the hash lane, tip 1000, no coins, no records. */
void fx_scene_init(struct fx_scene *scene);
void fx_scene_clear(struct fx_scene *scene);
void fx_scene_add_coin(struct fx_scene *scene, const struct fx_outpoint *outpoint, int64_t value,
                       const void *script, size_t n, uint32_t height);
/* Adds, or replaces the one of this origin. */
void fx_scene_set_record(struct fx_scene *scene, const struct fx_outpoint *origin,
                         const struct fx_task_record *record);
/* The id that the block at a height has. */
void fx_scene_id(uint32_t height, struct fx_hash *id);
/* An outpoint that is different for each number. */
struct fx_outpoint fx_scene_outpoint(unsigned number);

#endif
