/*
 * The manual's introduction: ssl-available? and ssl-load-fail-reason. The same tests hold where the
 * library is hidden, with the other outcome.
 */
#include "spec_support.h"

#include <stdio.h>

SPEC_SUITE(availability);

/* "Either #f (when ssl-available? is #t) or an error string (when ssl-available? is #f)." */
SPEC(availability, there_is_a_reason_exactly_when_the_library_is_not_available) {
    if (portls_available()) {
        cr_assert(portls_load_fail_reason() == NULL, "available, and still a reason: %s",
                  portls_load_fail_reason());
    } else {
        cr_assert(portls_load_fail_reason() != NULL, "not available, and no reason");
        cr_assert(portls_load_fail_reason()[0] != '\0', "the reason is empty");
    }
}

/* "A boolean value which says whether the system openssl library was successfully loaded": it is a
   value, so it stays what it was. */
SPEC(availability, stays_what_it_was) {
    bool first = portls_available();
    const char *reason = portls_load_fail_reason();
    cr_assert(portls_available() == first);
    cr_assert(portls_load_fail_reason() == reason);
}

/* The status that calls needing TLS have to return, and the reason in their message. */
static void require_as_available(portls_status status) {
    if (portls_available()) {
        cr_assert(status != PORTLS_UNAVAILABLE, "available, and still: %s", problem.message);
    } else {
        cr_assert(status == PORTLS_UNAVAILABLE, "not available, and still %s",
                  portls_status_name(status));
        REQUIRE_ERROR(&problem, PORTLS_UNAVAILABLE, "");
        REQUIRE_TEXT(problem.message, portls_load_fail_reason());
    }
}

/* "Calling ssl-connect, etc. when this value is #f (library not loaded) will raise an exception."
 */
SPEC(availability, making_contexts_fails_exactly_when_not_available) {
    portls_context *context = NULL;
    require_as_available(portls_make_client_context(PORTLS_SSLV2_OR_V3, &context, &problem));
    cr_assert((context != NULL) == portls_available());
    portls_free_context(context);
    require_as_available(portls_make_server_context(PORTLS_SSLV2_OR_V3, &context, &problem));
    cr_assert((context != NULL) == portls_available());
    portls_free_context(context);
}

#if PORTLS_HOSTED

/* "Calling ssl-connect, etc.": ssl-connect. */
SPEC(availability, connect_fails_when_not_available) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_context *context = portls_protocol_context(PORTLS_CLIENT, PORTLS_SSLV2_OR_V3);
    cr_assert(context != NULL);
    /* Port 1 is refused when the library is there; without it nobody gets as far. */
    portls_status status = portls_connect("127.0.0.1", 1, context, &in, &out, &problem);
    cr_assert(status != PORTLS_OK);
    require_as_available(status);
    cr_assert(in == NULL && out == NULL);
}

/* "Calling ssl-connect, etc.": ssl-listen. */
SPEC(availability, listen_fails_exactly_when_not_available) {
    portls_listener *listener = NULL;
    portls_context *context = portls_protocol_context(PORTLS_SERVER, PORTLS_SSLV2_OR_V3);
    portls_status status = portls_listen(0, 1, false, "127.0.0.1", context, &listener, &problem);
    require_as_available(status);
    cr_assert((status == PORTLS_OK) == portls_available());
    cr_assert((listener != NULL) == portls_available());
    portls_close(listener);
}

#endif

/* "Calling ssl-connect, etc.": ports->ssl-ports. */
SPEC(availability, wrapping_fails_exactly_when_not_available) {
    portls_input_port *in, *ssl_in = NULL;
    portls_output_port *out, *ssl_out = NULL;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = PORTLS_MODE_CONNECT;
    REQUIRE_OK(portls_make_pipe(65536, &in, &out, &problem));
    portls_status status = portls_wrap_ports_avail(in, out, &options, &ssl_in, &ssl_out, &problem);
    require_as_available(status);
    cr_assert((status == PORTLS_OK) == portls_available());
    if (status == PORTLS_OK) {
        REQUIRE_OK(portls_close_input_port(ssl_in, &problem));
        portls_close_output_port(ssl_out, &problem);
    }
    REQUIRE_OK(portls_close_output_port(out, &problem));
    REQUIRE_OK(portls_close_input_port(in, &problem));
}

/* The C form names itself and its backend whether the TLS library is there or not. */
SPEC(availability, version_and_backend_name_are_known_in_any_case) {
    unsigned major, minor, patch;
    cr_assert(sscanf(portls_version(), "%u.%u.%u", &major, &minor, &patch) == 3,
              "\"%s\" is no version", portls_version());
    const char *name = portls_backend_name();
    cr_assert(strcmp(name, "openssl") == 0 || strcmp(name, "libtls") == 0 ||
                  strcmp(name, "wolfssl") == 0,
              "\"%s\" is no backend", name);
}

/* Capabilities are those of available.h, and none without the library; with it TLS is spoken. */
SPEC(availability, capabilities_are_known_bits) {
    uint32_t known = 0;
#define ADD_CAPABILITY(bit, name, text) known |= UINT32_C(1) << (bit);
    PORTLS_CAPABILITY_MAP(ADD_CAPABILITY)
#undef ADD_CAPABILITY
    cr_assert((portls_capabilities() & ~known) == 0, "unknown bits in %x", portls_capabilities());
    bool speaks = spec_can(PORTLS_CAN_TLS12) || spec_can(PORTLS_CAN_TLS13);
    cr_assert(speaks == portls_available());
}

/* "raise an exception": here a status, which has a name and an English text. */
SPEC(availability, every_status_has_its_name_and_text) {
#define CHECK_STATUS(value, name, text)                                                            \
    cr_assert_eq((int)PORTLS_##name, (value));                                                     \
    cr_assert_str_eq(portls_status_name(PORTLS_##name), "PORTLS_" #name);                          \
    cr_assert_str_eq(portls_status_text(PORTLS_##name), (text));
    PORTLS_STATUS_MAP(CHECK_STATUS)
#undef CHECK_STATUS
    cr_assert_str_eq(portls_status_name((portls_status)250), "PORTLS_?");
    cr_assert(portls_status_text((portls_status)250)[0] != '\0');
}

SPEC(availability, every_verify_reason_has_its_text) {
#define CHECK_REASON(value, name, text)                                                            \
    cr_assert_str_eq(portls_verify_reason_text(PORTLS_VERIFY_##name), (text));
    PORTLS_VERIFY_MAP(CHECK_REASON)
#undef CHECK_REASON
    cr_assert(portls_verify_reason_text((portls_verify_reason)250)[0] != '\0');
}
