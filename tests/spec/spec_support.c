/* The common ground of the suite: see spec_support.h. */
#include "spec_support.h"

#include "spec_place.h"

#include <stdio.h>
#include <stdlib.h>

portls_error problem;

static long held_at_begin;

void spec_begin(void) {
    place_begin();
    held_at_begin = place_count();
}

void spec_end(void) {
    place_end();
    long held_at_end = place_count();
    cr_assert(held_at_end == held_at_begin, "%ld %s were held before the test, %ld after it",
              held_at_begin, place_holds, held_at_end);
}

const char *spec_error_fault(const portls_error *error, portls_status wanted,
                             const char *beginning) {
    size_t length = strlen(error->message);
    if (error->status != wanted) {
        return "the error holds another status";
    }
    if (error->error_class == PORTLS_CLASS_NONE) {
        return "the error has no class";
    }
    if (length == 0) {
        return "the error has no message";
    }
    if (strchr(error->message, '\n') != NULL) {
        return "the message has a newline";
    }
    if (error->message[length - 1] == '.') {
        return "the message has a full stop";
    }
    if (strncmp(error->message, beginning, strlen(beginning)) != 0) {
        return "the message begins otherwise";
    }
    return NULL;
}

bool spec_can(portls_capability capability) {
    return (portls_capabilities() & (uint32_t)capability) != 0;
}

void load_identity(portls_context *context, const char *identity) {
    char path[512];
    snprintf(path, sizeof path, CERTS("%s.chain.pem"), identity);
    REQUIRE_OK(portls_load_certificate_chain(context, path, &problem));
    snprintf(path, sizeof path, CERTS("%s.key"), identity);
    REQUIRE_OK(portls_load_private_key(context, path, PORTLS_KEY_ANY, PORTLS_PEM, &problem));
}

static void load_roots(portls_context *context, const char *roots) {
    REQUIRE_OK(portls_load_verify_root_certificates(context, roots, &problem));
    REQUIRE_OK(portls_set_verify(context, true, &problem));
}

static void fill_context(portls_context *context, const char *identity, const char *roots) {
    if (identity != NULL) {
        load_identity(context, identity);
    }
    if (roots != NULL) {
        load_roots(context, roots);
    }
}

portls_context *client_context(portls_protocol protocol, const char *identity, const char *roots) {
    portls_context *context = NULL;
    REQUIRE_OK(portls_make_client_context(protocol, &context, &problem));
    fill_context(context, identity, roots);
    return context;
}

portls_context *server_context(portls_protocol protocol, const char *identity, const char *roots) {
    portls_context *context = NULL;
    REQUIRE_OK(portls_make_server_context(protocol, &context, &problem));
    fill_context(context, identity, roots);
    return context;
}

portls_context *test_server_context(void) {
    portls_context *context = server_context(PORTLS_SSLV2_OR_V3, NULL, NULL);
    REQUIRE_OK(portls_load_certificate_chain(context, TEST_PEM, &problem));
    REQUIRE_OK(portls_load_private_key(context, TEST_PEM, PORTLS_KEY_RSA, PORTLS_PEM, &problem));
    return context;
}

uint8_t *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    cr_assert(file != NULL, "%s could not be opened", path);
    const size_t room = 65536;
    uint8_t *bytes = malloc(room);
    cr_assert(bytes != NULL, "no memory");
    setvbuf(file, NULL, _IONBF, 0); /* its buffer would count as memory that is kept */
    *size = fread(bytes, 1, room, file);
    cr_assert(*size < room, "%s is larger than the suite thought", path);
    fclose(file);
    return bytes;
}

const char *temporary_file(const void *bytes, size_t size) {
    return place_file(bytes, size);
}

void describe_connection(const portls_input_port *ssl_in, struct connection_facts *facts) {
    facts->protocol = portls_connection_protocol(ssl_in);
    facts->cipher = portls_connection_cipher(ssl_in);
    facts->server_name = portls_connection_server_name(ssl_in);
    facts->peer_subject = portls_connection_peer_subject(ssl_in);
    facts->peer_verified = portls_connection_peer_verified(ssl_in);
    cr_assert(facts->protocol != NULL && facts->cipher != NULL && facts->server_name != NULL &&
              facts->peer_subject != NULL);
}
