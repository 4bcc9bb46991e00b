/* Pairs of sessions over buffers in memory, and DER from the test certificates. */
#include "contract_support.h"

#include "core/stream/session_failure.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory that lives as long as a test ---- */

enum { OWNED_MAX = 1024 };
static void *owned[OWNED_MAX];
static size_t owned_count;
enum { CONTEXTS_MAX = 128 };
static struct backend_context *contexts[CONTEXTS_MAX];
static size_t context_count;
static struct backend_trust *trusts[CONTEXTS_MAX];
static size_t trust_count;

static void *own(void *memory) {
    cr_assert(memory != NULL && owned_count < OWNED_MAX);
    owned[owned_count++] = memory;
    return memory;
}

static void *zeroed(size_t size) {
    return calloc(1, size);
}

bool support_tells_alerts(void) {
    return strcmp(portls_backend.name, "libtls") != 0;
}

void support_begin(void) {
    static const struct backend_memory memory = {malloc, zeroed, free};
    portls_error error = no_error();
    cr_assert_eq(portls_backend.interface_version, BACKEND_INTERFACE_VERSION);
    cr_assert_eq(portls_backend.load(&memory, &error), PORTLS_OK, "%s", error.message);
}

void support_end(void) {
    while (context_count > 0) {
        portls_backend.context_free(contexts[--context_count]);
    }
    while (trust_count > 0) {
        portls_backend.trust_free(trusts[--trust_count]);
    }
    while (owned_count > 0) {
        free(owned[--owned_count]);
    }
}

portls_error no_error(void) {
    return (portls_error){.status = PORTLS_OK, .alert = -1};
}

void expect_error(const portls_error *error, portls_status status) {
    cr_assert_eq(error->status, status, "status %d, not %d: %s", (int)error->status, (int)status,
                 error->message);
    size_t length = strlen(error->message);
    cr_assert(length > 0, "status %d has no message", (int)status);
    cr_assert_null(strchr(error->message, '\n'), "%s", error->message);
    cr_assert_neq(error->message[length - 1], '.', "%s", error->message);
    cr_assert_eq(error->verify_reason != PORTLS_VERIFY_OK, status == PORTLS_VERIFY);
}

/* ---- certificates and keys ---- */

struct backend_blob load_file(const char *name) {
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s", PORTLS_TEST_CERTS, name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s is missing: run certs/make-certs.sh", path);
    uint8_t *bytes = own(calloc(1, WHOLE));
    size_t size = fread(bytes, 1, WHOLE - 1, file);
    (void)fclose(file);
    cr_assert(size > 0 && size < WHOLE - 1, "%s", path);
    return (struct backend_blob){bytes, size};
}

static int base64_value(char letter) {
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = letter == '\0' ? NULL : strchr(alphabet, letter);
    return found == NULL ? -1 : (int)(found - alphabet);
}

static struct backend_blob base64_decode(const char *text, const char *end) {
    uint8_t *bytes = own(malloc((size_t)(end - text) + 1));
    size_t size = 0;
    uint32_t bits = 0;
    unsigned count = 0;
    for (; text < end; text++) {
        int value = base64_value(*text);
        if (value >= 0) {
            bits = bits << 6 | (uint32_t)value;
            count += 6;
            if (count >= 8) {
                count -= 8;
                bytes[size++] = (uint8_t)(bits >> count);
            }
        }
    }
    return (struct backend_blob){bytes, size};
}

struct der_list load_pem(const char *name, const char *label) {
    struct der_list list = {.count = 0};
    char begin[64];
    char end[64];
    (void)snprintf(begin, sizeof begin, "-----BEGIN %s-----", label);
    (void)snprintf(end, sizeof end, "-----END %s-----", label);
    const char *cursor = (const char *)load_file(name).bytes;
    while ((cursor = strstr(cursor, begin)) != NULL) {
        const char *stop = strstr(cursor, end);
        cr_assert(stop != NULL && list.count < sizeof list.blobs / sizeof *list.blobs);
        list.blobs[list.count++] = base64_decode(cursor + strlen(begin), stop);
        cursor = stop;
    }
    cr_assert(list.count > 0, "%s has no %s", name, label);
    return list;
}

/* The blobs where settings can point at them. */
static const struct backend_blob *keep(const struct der_list *list) {
    struct der_list *copy = own(malloc(sizeof *copy));
    *copy = *list;
    return copy->blobs;
}

const uint16_t *versions(void) {
    static uint16_t list[3];
    size_t count = 0;
    if (portls_backend.capabilities() & PORTLS_CAN_TLS12) {
        list[count++] = TLS12;
    }
    if (portls_backend.capabilities() & PORTLS_CAN_TLS13) {
        list[count++] = TLS13;
    }
    cr_assert(count > 0);
    list[count] = 0;
    return list;
}

struct backend_settings plain_settings(portls_role role) {
    const uint16_t *list = versions();
    return (struct backend_settings){.role = role,
                                     .lowest_version = list[0],
                                     .highest_version = list[1] != 0 ? list[1] : list[0]};
}

void only_version(struct backend_settings *settings, uint16_t version) {
    settings->lowest_version = version;
    settings->highest_version = version;
}

void add_identity(struct backend_settings *settings, const char *name) {
    char chain_file[128];
    char key_file[128];
    bool manual = strcmp(name, "test") == 0;
    (void)snprintf(chain_file, sizeof chain_file, "%s%s", name, manual ? ".pem" : ".chain.pem");
    (void)snprintf(key_file, sizeof key_file, "%s%s", name, manual ? ".pem" : ".key");
    struct der_list chain = load_pem(chain_file, "CERTIFICATE");
    settings->chain = keep(&chain);
    settings->chain_count = chain.count;
    settings->key = load_pem(key_file, "PRIVATE KEY").blobs[0];
    settings->key_format = BACKEND_KEY_PKCS8;
}

void add_verification(struct backend_settings *settings, const char *roots_file) {
    settings->verify = true;
    if (roots_file != NULL) {
        struct der_list roots = load_pem(roots_file, "CERTIFICATE");
        settings->trust = make_trust(&roots);
    }
}

struct backend_trust *make_trust(const struct der_list *roots) {
    portls_error error = no_error();
    struct backend_trust *trust = NULL;
    cr_assert_eq(portls_backend.trust_new(roots->blobs, roots->count, &trust, &error), PORTLS_OK,
                 "%s", error.message);
    cr_assert(trust != NULL && trust_count < CONTEXTS_MAX);
    trusts[trust_count++] = trust;
    return trust;
}

struct backend_context *make_context(const struct backend_settings *settings) {
    portls_error error = no_error();
    struct backend_context *context = NULL;
    cr_assert_eq(portls_backend.context_new(settings, &context, &error), PORTLS_OK, "%s",
                 error.message);
    cr_assert(context != NULL && context_count < CONTEXTS_MAX);
    contexts[context_count++] = context;
    return context;
}

/* ---- transports ---- */

size_t pipe_size(const struct pipe *pipe) {
    return pipe->end - pipe->begin;
}

void pipe_put(struct pipe *pipe, const void *bytes, size_t size) {
    if (pipe->begin == pipe->end) {
        pipe->begin = pipe->end = 0;
    }
    if (pipe->capacity - pipe->end < size) {
        size_t capacity = (pipe->end + size) * 2;
        pipe->bytes = realloc(pipe->bytes, capacity);
        cr_assert_not_null(pipe->bytes);
        pipe->capacity = capacity;
    }
    memcpy(pipe->bytes + pipe->end, bytes, size);
    pipe->end += size;
    pipe->sent += size;
}

int pipe_records(const struct pipe *pipe) {
    int count = 0;
    size_t at = pipe->begin;
    while (at < pipe->end) {
        if (pipe->end - at < 5) {
            return -1;
        }
        at += 5 + ((size_t)pipe->bytes[at + 3] << 8 | pipe->bytes[at + 4]);
        count++;
    }
    return at == pipe->end ? count : -1;
}

static portls_status end_receive(struct backend_transport *transport, void *buffer, size_t size,
                                 size_t *got) {
    struct pipe *pipe = ((struct end *)transport)->in;
    cr_assert(size > 0, "receive was asked for no bytes");
    if (pipe->receive_failure != PORTLS_OK) {
        return pipe->receive_failure;
    }
    if (pipe_size(pipe) == 0) {
        return pipe->ended ? PORTLS_EOF : PORTLS_WANT_READ;
    }
    if (pipe->pause_next) {
        pipe->pause_next = false;
        return PORTLS_WANT_READ;
    }
    size_t count = pipe_size(pipe);
    count = count < size ? count : size;
    count = count < pipe->piece ? count : pipe->piece;
    memcpy(buffer, pipe->bytes + pipe->begin, count);
    pipe->begin += count;
    pipe->taken += count;
    pipe->pause_next = pipe->piece < WHOLE;
    *got = count;
    return PORTLS_OK;
}

static portls_status end_send(struct backend_transport *transport, const void *bytes, size_t size) {
    struct pipe *pipe = ((struct end *)transport)->out;
    if (pipe->send_failure != PORTLS_OK) {
        return pipe->send_failure;
    }
    pipe_put(pipe, bytes, size);
    return PORTLS_OK;
}

/* ---- a client and a server ---- */

static void side_begin(struct side *side, struct backend_context *context, struct pipe *in,
                       struct pipe *out, const struct backend_session_options *options) {
    side->end = (struct end){.transport = {.receive = end_receive, .send = end_send}};
    side->end.in = in;
    side->end.out = out;
    side->error = no_error();
    side->status = PORTLS_WANT_READ;
    side->host = options->verify_host;
    struct backend_failure failure = BACKEND_FAILURE_INIT;
    cr_assert_eq(portls_backend.session_new(context, options, &side->end.transport, &side->session,
                                            &failure),
                 PORTLS_OK, "cause %d", (int)failure.cause);
}

void pair_begin(struct pair *pair, struct backend_context *client, struct backend_context *server,
                const struct backend_session_options *options, size_t piece) {
    static const struct backend_session_options none;
    memset(pair, 0, sizeof *pair);
    pair->to_server.piece = pair->to_client.piece = piece;
    pair->client.role = PORTLS_CLIENT;
    pair->server.role = PORTLS_SERVER;
    side_begin(&pair->client, client, &pair->to_client, &pair->to_server,
               options != NULL ? options : &none);
    side_begin(&pair->server, server, &pair->to_server, &pair->to_client, &none);
}

/* What the core makes of it. */
static portls_status as_core(struct side *side, portls_status status,
                             const struct backend_failure *failure, bool in_handshake) {
    const struct session_state state = {&portls_backend, side->role, in_handshake, side->host};
    side->error = no_error();
    if (status == PORTLS_OK || status == PORTLS_EOF || status == PORTLS_WANT_READ) {
        cr_assert_eq(failure->cause, BACKEND_NO_CAUSE, "status %d, cause %d", (int)status,
                     (int)failure->cause);
        return status;
    }
    cr_assert_eq(failure->cause != BACKEND_NO_CAUSE, status == PORTLS_PROTOCOL,
                 "status %d, cause %d", (int)status, (int)failure->cause);
    return session_failure_describe(failure, status, &state, &side->error);
}

portls_status handshake_on(struct side *side) {
    struct backend_failure failure = BACKEND_FAILURE_INIT;
    portls_status status = portls_backend.handshake(side->session, &failure);
    return as_core(side, status, &failure, true);
}

portls_status read_once(struct side *side, void *buffer, size_t size, size_t *got) {
    struct backend_failure failure = BACKEND_FAILURE_INIT;
    portls_status status = portls_backend.read(side->session, buffer, size, got, &failure);
    return as_core(side, status, &failure, false);
}

portls_status write_on(struct side *side, const void *bytes, size_t size, size_t *put) {
    struct backend_failure failure = BACKEND_FAILURE_INIT;
    portls_status status = portls_backend.write(side->session, bytes, size, put, &failure);
    return as_core(side, status, &failure, false);
}

portls_status shutdown_on(struct side *side) {
    struct backend_failure failure = BACKEND_FAILURE_INIT;
    portls_status status = portls_backend.shutdown(side->session, &failure);
    return as_core(side, status, &failure, false);
}

/* One call of the handshake; whether anything came of it. */
static bool side_handshake(struct side *side) {
    if (side->status != PORTLS_WANT_READ) {
        return false;
    }
    size_t before = side->end.in->taken + side->end.out->sent;
    bool paused = side->end.in->pause_next;
    side->status = handshake_on(side);
    if (side->status != PORTLS_WANT_READ && side->status != PORTLS_OK) {
        side->end.out->ended = true;
        expect_error(&side->error, side->status);
    } else {
        cr_assert_eq(side->error.status, PORTLS_OK);
        cr_assert_eq(side->error.message[0], '\0');
    }
    return side->status != PORTLS_WANT_READ || paused != side->end.in->pause_next ||
           before != side->end.in->taken + side->end.out->sent;
}

void pair_handshake(struct pair *pair) {
    bool moved = true;
    while (moved) {
        moved = side_handshake(&pair->client);
        moved = side_handshake(&pair->server) || moved;
    }
    cr_assert_neq(pair->client.status, PORTLS_WANT_READ, "the client waits for ever");
    cr_assert_neq(pair->server.status, PORTLS_WANT_READ, "the server waits for ever");
}

void pair_connect(struct pair *pair, struct backend_context *client, struct backend_context *server,
                  size_t piece) {
    pair_begin(pair, client, server, NULL, piece);
    pair_handshake(pair);
    cr_assert_eq(pair->client.status, PORTLS_OK, "client: %s", pair->client.error.message);
    cr_assert_eq(pair->server.status, PORTLS_OK, "server: %s", pair->server.error.message);
}

void pair_connect_plain(struct pair *pair, uint16_t version) {
    struct backend_settings client = plain_settings(PORTLS_CLIENT);
    struct backend_settings server = plain_settings(PORTLS_SERVER);
    only_version(&client, version);
    add_identity(&server, "server-rsa2048");
    pair_connect(pair, make_context(&client), make_context(&server), WHOLE);
}

void pair_end(struct pair *pair) {
    portls_backend.session_free(pair->client.session);
    portls_backend.session_free(pair->server.session);
    free(pair->to_client.bytes);
    free(pair->to_server.bytes);
}

portls_status read_on(struct side *side, void *buffer, size_t size, size_t *got) {
    for (;;) {
        bool more = pipe_size(side->end.in) > 0;
        portls_status status = read_once(side, buffer, size, got);
        if (status == PORTLS_OK) {
            cr_assert(*got > 0 && *got <= size);
        }
        if (status == PORTLS_OK || status == PORTLS_EOF || status == PORTLS_WANT_READ) {
            cr_assert_eq(side->error.status, PORTLS_OK, "%s", side->error.message);
        } else {
            expect_error(&side->error, status);
        }
        if (status != PORTLS_WANT_READ || !more) {
            return status;
        }
    }
}

void write_all(struct side *side, const void *bytes, size_t size) {
    const uint8_t *cursor = bytes;
    while (size > 0) {
        size_t part = size < BACKEND_WRITE_MAX ? size : BACKEND_WRITE_MAX;
        size_t put = 0;
        size_t before = side->end.out->sent;
        cr_assert_eq(write_on(side, cursor, part, &put), PORTLS_OK, "%s", side->error.message);
        cr_assert(put > 0 && put <= part);
        cr_assert(side->end.out->sent - before > put, "what was taken was not handed to send");
        cursor += put;
        size -= put;
    }
}

void expect_text(struct side *side, const char *text) {
    char buffer[256];
    size_t length = strlen(text);
    size_t have = 0;
    cr_assert(length < sizeof buffer);
    while (have < length) {
        size_t got = 0;
        cr_assert_eq(read_on(side, buffer + have, length - have, &got), PORTLS_OK,
                     "\"%s\" has not come whole: %s", text, side->error.message);
        have += got;
    }
    cr_assert_arr_eq(buffer, text, length);
}
