/* The names of TLS alerts, the same in the messages of every backend (RFC 8446 and RFC 5246). */
#ifndef BACKENDS_ALERT_H
#define BACKENDS_ALERT_H

#define BACKEND_ALERT_MAP(X)                                                                       \
    X(0, "close notify")                                                                           \
    X(10, "unexpected message")                                                                    \
    X(20, "bad record MAC")                                                                        \
    X(21, "decryption failed")                                                                     \
    X(22, "record overflow")                                                                       \
    X(30, "decompression failure")                                                                 \
    X(40, "handshake failure")                                                                     \
    X(41, "no certificate")                                                                        \
    X(42, "bad certificate")                                                                       \
    X(43, "unsupported certificate")                                                               \
    X(44, "certificate revoked")                                                                   \
    X(45, "certificate expired")                                                                   \
    X(46, "certificate unknown")                                                                   \
    X(47, "illegal parameter")                                                                     \
    X(48, "unknown certificate authority")                                                         \
    X(49, "access denied")                                                                         \
    X(50, "decode error")                                                                          \
    X(51, "decrypt error")                                                                         \
    X(60, "export restriction")                                                                    \
    X(70, "protocol version")                                                                      \
    X(71, "insufficient security")                                                                 \
    X(80, "internal error")                                                                        \
    X(86, "inappropriate fallback")                                                                \
    X(90, "user canceled")                                                                         \
    X(100, "no renegotiation")                                                                     \
    X(109, "missing extension")                                                                    \
    X(110, "unsupported extension")                                                                \
    X(111, "certificate unobtainable")                                                             \
    X(112, "unrecognized name")                                                                    \
    X(113, "bad certificate status response")                                                      \
    X(114, "bad certificate hash value")                                                           \
    X(115, "unknown PSK identity")                                                                 \
    X(116, "certificate required")                                                                 \
    X(120, "no application protocol")

/* The name of an alert; "unknown alert" for a number that has none. Never NULL. */
static inline const char *backend_alert_name(int alert) {
    switch (alert) {
#define BACKEND_ALERT_CASE(number, name)                                                           \
    case (number):                                                                                 \
        return (name);
        BACKEND_ALERT_MAP(BACKEND_ALERT_CASE)
#undef BACKEND_ALERT_CASE
    default:
        return "unknown alert";
    }
}

#endif
