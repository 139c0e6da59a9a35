/* The table and the JSON of the status, and the server that gives it out. */
#include "src/miner/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/miner/fake.h"
#include "src/miner/api.h"

static void warm(struct fx_device *device, struct fx_device_sensors *sensors)
{
    (void)device;
    *sensors = (struct fx_device_sensors){.temperature = 61, .milliwatts = 287499};
}

static struct fx_backend with_sensors, without;
static struct fx_device_choice choices[2] = {
    {.backend = &with_sensors, .name = "warm:0", .model = "Warm One"},
    {.backend = &without, .index = 1, .name = "plain:1"}};

static void example(struct fx_miner_status *status)
{
    struct fx_device_status *d;

    fx_fake_begin();
    with_sensors.sensors = warm;
    fx_miner_status_init(status, "regtest", choices, 2);
    d = &status->devices[0];
    d->device = (struct fx_device *)d; /* any: only `warm` is given it */
    atomic_store(&d->bricks, 12345);
    atomic_store(&d->tickets, 7);
    atomic_store(&d->job_blocks, 6);
    atomic_store(&d->tasks_done, 5);
    fx_miner_status_set(status, d, FX_DEVICE_TASK, "ab:1");
    d = &status->devices[1];
    atomic_store(&d->hash_blocks, 3);
    atomic_store(&d->errors, 2);
    fx_miner_status_set(status, d, FX_DEVICE_HASH, NULL);
    fx_miner_status_set(status, d, FX_DEVICE_RETIRED, "it burns");
    fx_miner_status_set(status, d, FX_DEVICE_IDLE, NULL); /* too late */
    atomic_store(&status->tasks_claimed, 4);
    atomic_store(&status->tasks_paid, 2);
    atomic_store(&status->paid, 250000000);
}

static void end(struct fx_miner_status *status)
{
    fx_miner_status_clear(status);
    fx_fake_end();
}

FX_TEST(the_table)
{
    struct fx_miner_status status;

    example(&status);
    fx_miner_status_print(&status);
    FX_CHECK_INT(fx_fake_said("device       bricks/s"), 1);
    FX_CHECK_INT(fx_fake_said("  61 C   287 W        7       6      5       0  task ab:1"), 1);
    FX_CHECK_INT(fx_fake_said("     -       -        0       3      0       2  retired: it burns"),
                 1);
    FX_CHECK_INT(
        fx_fake_said("| tickets 7 | blocks: job 6, hash 3 | tasks: done 5, claimed 4, paid "
                     "2 | paid 2.50000000 FNX"),
        1);
    end(&status);
}

static void check_example(const json_t *json)
{
    const char *first, *second, *task, *why;
    json_t *none, *degrees, *watts;
    int job, hash, done, bricks;
    double paid;

    FX_CHECK_INT(json_unpack((json_t *)(uintptr_t)json,
                             "{s:{s:i,s:i},s:{s:i},s:f,s:[{s:s,s:s,s:i,s:o,s:o,s:o},{s:s,s:s}]}",
                             "blocks", "job", &job, "hash", &hash, "tasks", "done", &done, "paid",
                             &paid, "devices", "device", &first, "task", &task, "bricks", &bricks,
                             "why", &none, "temperature", &degrees, "power", &watts, "device",
                             &second, "why", &why),
                 0);
    FX_CHECK_INT(job * 100 + hash * 10 + done, 635);
    FX_CHECK(paid == 2.5);
    FX_CHECK_INT(bricks, 12345);
    FX_CHECK_STR(first, "warm:0");
    FX_CHECK_STR(task, "ab:1");
    FX_CHECK(json_is_null(none));
    FX_CHECK(json_real_value(degrees) == 61 && json_real_value(watts) > 287);
    FX_CHECK_STR(second, "plain:1");
    FX_CHECK_STR(why, "it burns");
}

FX_TEST(the_json)
{
    struct fx_miner_status status;
    json_t *json;

    example(&status);
    json = fx_miner_status_json(&status);
    FX_CHECK(json != NULL);
    check_example(json);
    json_decref(json);
    end(&status);
}

/* Eleven samples are kept: rates are of what came since the oldest of them. */
FX_TEST(rates_are_of_the_last_seconds)
{
    struct fx_miner_status status;
    json_t *json;

    example(&status);
    for (unsigned at = 0; at < 2 * FX_STATUS_SAMPLES; at++)
        fx_miner_status_sample(&status);
    json = fx_miner_status_json(&status);
    FX_CHECK(json_real_value(json_object_get(json, "bricks_per_second")) == 0);
    json_decref(json);
    atomic_fetch_add(&status.devices[0].bricks, 1);
    json = fx_miner_status_json(&status);
    FX_CHECK(json_real_value(json_object_get(json, "bricks_per_second")) > 0);
    json_decref(json);
    end(&status);
}

/* The answer's text is the caller's to free; NULL where it has none. */
static int get_text(uint16_t port, const char *method, const char *target, char **text)
{
    const struct fx_rpc_client_config config = {
        .port = port, .user = "nobody", .password = "none", .timeout_ms = 60000};
    struct fx_rpc_client *client = fx_rpc_client_create(&config);
    struct fx_http_reply reply;
    int http;

    fx_rpc_client_request(client, method, target, NULL, 0, NULL, 65536, &reply);
    http = reply.http;
    *text = reply.body.len ? strndup((const char *)reply.body.data, reply.body.len) : NULL;
    fx_http_reply_clear(&reply);
    fx_rpc_client_destroy(client);
    return http;
}

static int get(uint16_t port, const char *method, const char *target, json_t **json)
{
    char *text;
    int http = get_text(port, method, target, &text);

    *json = text ? json_loads(text, 0, NULL) : NULL;
    free(text);
    return http;
}

FX_TEST(over_http)
{
    struct fx_miner_status status;
    atomic_bool stop = false;
    struct fx_api api = {.status = &status, .stop = &stop}, second = api;
    char error[FX_KERNEL_TEXT] = "", *text;
    json_t *json;

    example(&status);
    if (!fx_api_start(&api, "127.0.0.1", error))
        FX_FAIL("start: %s", error);
    FX_CHECK(api.port != 0);
    FX_CHECK_INT(get(api.port, "GET", "/status", &json), 200);
    FX_CHECK(json != NULL);
    check_example(json);
    json_decref(json);
    atomic_store(&status.paid, 1500000);
    FX_CHECK_INT(get_text(api.port, "GET", "/status", &text), 200);
    FX_CHECK(strstr(text, "\"paid\": 0.015,"));
    free(text);
    FX_CHECK_INT(get(api.port, "GET", "/other", &json), 404);
    json_decref(json);
    FX_CHECK_INT(get(api.port, "POST", "/status", &json), 501); /* only GET */
    json_decref(json);
    /* The port is taken, and an address that is not ours. */
    second.port = api.port;
    FX_CHECK(!fx_api_start(&second, "127.0.0.1", error));
    FX_CHECK(strstr(error, "cannot be served on 127.0.0.1") != NULL);
    FX_CHECK(!fx_api_start(&second, "192.0.2.1", error)); /* of nobody (RFC 5737) */
    atomic_store(&stop, true);
    fx_api_join(&api);
    end(&status);
}
