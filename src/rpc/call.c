/* Arguments of a call, by position or by name, against the description of the command. */
#include <stdio.h>
#include <string.h>

#include "src/rpc/rpc_int.h"

json_t *fx_rpc_fail_help(struct fx_rpc_call *call)
{
    struct fx_buf help = FX_BUF_INIT;
    fx_rpc_help_command(call->entry, call->rpc->port, &help);
    fx_buf_u8(&help, 0);
    fx_rpc_fail(call, FX_RPC_MISC, "%s", (const char *)help.data);
    fx_buf_clear(&help);
    return NULL;
}

/* null stands for an argument that is not given, where it need not be; else it has a wrong type. */
static json_t *given(const struct fx_schema *args, size_t at, json_t *value)
{
    return json_is_null(value) && args->in[at].optional ? NULL : value;
}

static bool bind_position(struct fx_rpc_call *call, const json_t *params)
{
    const struct fx_schema *args = call->entry->args;
    size_t i;
    json_t *value;
    if (json_array_size(params) > args->n_in) {
        fx_rpc_fail_help(call);
        return false;
    }
    json_array_foreach(params, i, value)
    {
        call->args[i] = given(args, i, value);
    }
    call->n_args = json_array_size(params);
    return true;
}

static bool is_named(const struct fx_schema *arg, const char *name)
{
    return strcmp(arg->key, name) == 0 || (arg->alias && strcmp(arg->alias, name) == 0);
}

static bool bind_names(struct fx_rpc_call *call, const json_t *params)
{
    const struct fx_schema *args = call->entry->args;
    const char *key;
    json_t *value;
    /* As Bitcoin Core takes them: "args" holds those by position, names the others. */
    const json_t *first = json_object_get(params, "args");
    if (json_is_array(first) && !bind_position(call, first)) {
        return false;
    }
    json_object_foreach((json_t *)params, key, value)
    {
        size_t at = 0;
        while (at < args->n_in && !is_named(&args->in[at], key)) {
            at++;
        }
        if (at == args->n_in) {
            if (value == first && json_is_array(first)) {
                continue;
            }
            fx_rpc_fail(call, FX_RPC_PARAMETER, "Unknown named parameter %s", key);
            return false;
        }
        if (json_is_array(first) && at < json_array_size(first)) {
            fx_rpc_fail(call, FX_RPC_PARAMETER,
                        "Parameter %s specified twice both as positional and named argument", key);
            return false;
        }
        call->args[at] = given(args, at, value);
        call->n_args = at + 1 > call->n_args ? at + 1 : call->n_args;
    }
    return true;
}

static bool check_inner(struct fx_rpc_call *call, const struct fx_schema *schema,
                        const json_t *value);

static bool check_object(struct fx_rpc_call *call, const struct fx_schema *schema,
                         const json_t *value)
{
    const char *key;
    json_t *inner;
    json_object_foreach((json_t *)value, key, inner)
    {
        const struct fx_schema *field = NULL;
        for (size_t i = 0; i < schema->n_in && !field; i++) {
            if (strcmp(schema->in[i].key, key) == 0 || strcmp(schema->in[i].key, "*") == 0) {
                field = &schema->in[i];
            }
        }
        if (!field) {
            fx_rpc_fail(call, FX_RPC_TYPE, "Unexpected key %s", key);
            return false;
        }
        if (json_is_null(inner) && field->optional) {
            continue;
        }
        if (!check_inner(call, field, inner)) {
            return false;
        }
    }
    for (size_t i = 0; i < schema->n_in; i++) {
        if (!schema->in[i].optional && strcmp(schema->in[i].key, "*") != 0 &&
            !json_object_get(value, schema->in[i].key)) {
            fx_rpc_fail(call, FX_RPC_TYPE, "Missing %s", schema->in[i].key);
            return false;
        }
    }
    return true;
}

static bool check_inner(struct fx_rpc_call *call, const struct fx_schema *schema,
                        const json_t *value)
{
    if (!fx_schema_takes(schema, value)) {
        struct fx_buf expected = FX_BUF_INIT;
        fx_schema_json_types(schema, &expected);
        fx_buf_u8(&expected, 0);
        fx_rpc_fail(call, FX_RPC_TYPE, "JSON value of type %s%s%s is not of expected type %s",
                    fx_json_type_name(value), schema->key ? " for field " : "",
                    schema->key ? schema->key : "", (const char *)expected.data);
        fx_buf_clear(&expected);
        return false;
    }
    if (json_is_object(value) && schema->n_in > 0) {
        return check_object(call, schema, value);
    }
    if (json_is_array(value) && schema->element) {
        size_t i;
        json_t *inner;
        json_array_foreach(value, i, inner)
        {
            if (!check_inner(call, schema->element, inner)) {
                return false;
            }
        }
    }
    return true;
}

/* Top-level types, all at once, as Bitcoin Core reports them. */
static bool check_types(struct fx_rpc_call *call)
{
    const struct fx_schema *args = call->entry->args;
    struct fx_buf wrong = FX_BUF_INIT;
    for (size_t i = 0; i < args->n_in; i++) {
        if (!call->args[i] || fx_schema_takes(&args->in[i], call->args[i])) {
            continue;
        }
        fx_buf_printf(&wrong,
                      "%s\n    \"Position %zu (%s)\": \"JSON value of type %s is not of expected "
                      "type ",
                      wrong.len ? "," : "", i + 1, args->in[i].key,
                      fx_json_type_name(call->args[i]));
        fx_schema_json_types(&args->in[i], &wrong);
        fx_buf_str(&wrong, "\"");
    }
    bool ok = wrong.len == 0;
    if (!ok) {
        fx_buf_u8(&wrong, 0);
        fx_rpc_fail(call, FX_RPC_TYPE, "Wrong type passed:\n{%s\n}", (const char *)wrong.data);
    }
    fx_buf_clear(&wrong);
    return ok;
}

bool fx_rpc_call_bind(struct fx_rpc_call *call, const json_t *params)
{
    const struct fx_schema *args = call->entry->args;
    bool bound = json_is_object(params)  ? bind_names(call, params)
                 : json_is_array(params) ? bind_position(call, params)
                                         : true;
    if (!bound) {
        return false;
    }
    for (size_t i = 0; i < args->n_in; i++) {
        if (!call->args[i] && !args->in[i].optional) {
            fx_rpc_fail_help(call);
            return false;
        }
    }
    if (!check_types(call)) {
        return false;
    }
    for (size_t i = 0; i < args->n_in; i++) {
        if (call->args[i] && !check_inner(call, &args->in[i], call->args[i])) {
            return false;
        }
    }
    return true;
}
