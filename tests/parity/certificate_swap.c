/* Replaces a Certificate message on its way: see certificate_swap.h. */
#include "certificate_swap.h"

#include <stdio.h>
#include <stdlib.h>

enum { RECORD_HEADER = 5, RECORD_MAX = 16384, HANDSHAKE_RECORD = 22, CIPHER_CHANGE = 20 };
enum { MESSAGE_HEADER = 4, CERTIFICATE = 11, CLIENT_KEY_EXCHANGE = 16, ROOM = 1 << 20 };

/* ---- reading PEM, without a look at what is in it ---- */

static int base64_digit(char letter) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = letter == '\0' ? NULL : strchr(digits, letter);
    return found == NULL ? -1 : (int)(found - digits);
}

static size_t base64_decode(const char *from, const char *end, uint8_t *into) {
    size_t size = 0;
    uint32_t bits = 0;
    unsigned count = 0;
    for (; from < end; from++) {
        int digit = base64_digit(*from);
        if (digit < 0) {
            continue;
        }
        bits = bits << 6 | (uint32_t)digit;
        count += 6;
        if (count >= 8) {
            count -= 8;
            into[size++] = (uint8_t)(bits >> count);
        }
    }
    return size;
}

static void put_length(uint8_t *at, size_t number) {
    at[0] = (uint8_t)(number >> 16);
    at[1] = (uint8_t)(number >> 8);
    at[2] = (uint8_t)number;
}

struct certificate_list certificate_list_read(const char *path) {
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    char *text = calloc(1, ROOM);
    struct certificate_list list = {malloc(ROOM), 3};
    FILE *file = fopen(path, "rb");
    cr_assert(file != NULL && text != NULL && list.bytes != NULL, "%s", path);
    cr_assert(fread(text, 1, ROOM, file) < ROOM, "%s is too large", path);
    fclose(file);
    for (char *at = text; (at = strstr(at, begin)) != NULL;) {
        at += sizeof begin - 1;
        char *end = strstr(at, "-----END");
        cr_assert(end != NULL, "%s ends too early", path);
        size_t size = base64_decode(at, end, list.bytes + list.size + 3);
        put_length(list.bytes + list.size, size);
        list.size += size + 3;
        at = end;
    }
    put_length(list.bytes, list.size - 3);
    free(text);
    return list;
}

/* ---- replacing ---- */

/* One direction, whose handshake messages are joined, replaced if there is a list, and sent on. */
struct swapper {
    const struct certificate_list *list;
    portls_input_port *from;
    portls_output_port *to;
    uint8_t *arrived, *messages;
    size_t arrived_size, messages_size;
    bool encrypted;
    bool exchanged_key; /* a ClientKeyExchange was among the messages */
};

static bool write_all(struct swapper *swapper, const uint8_t *bytes, size_t size) {
    size_t put = 0;
    return portls_write_avail(swapper->to, bytes, size, &put, &problem) == PORTLS_OK && put == size;
}

static void send_messages(struct swapper *swapper, const uint8_t *bytes, size_t size) {
    while (size > 0) {
        size_t part = size < RECORD_MAX ? size : RECORD_MAX;
        const uint8_t header[RECORD_HEADER] = {HANDSHAKE_RECORD, 3, 3, (uint8_t)(part >> 8),
                                               (uint8_t)part};
        if (!write_all(swapper, header, sizeof header) || !write_all(swapper, bytes, part)) {
            return; /* the other side has ended */
        }
        bytes += part;
        size -= part;
    }
}

static void send_list(struct swapper *swapper) {
    size_t size = swapper->list->size;
    uint8_t *message = malloc(size + MESSAGE_HEADER);
    cr_assert(message != NULL);
    message[0] = CERTIFICATE;
    put_length(message + 1, size);
    memcpy(message + MESSAGE_HEADER, swapper->list->bytes, size);
    send_messages(swapper, message, size + MESSAGE_HEADER);
    free(message);
}

/* Sends the whole messages on. */
static void take_messages(struct swapper *swapper) {
    const uint8_t *at = swapper->messages;
    size_t left = swapper->messages_size;
    while (left >= MESSAGE_HEADER) {
        size_t size = MESSAGE_HEADER + ((size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3]);
        if (size > left) {
            break;
        }
        swapper->exchanged_key = swapper->exchanged_key || at[0] == CLIENT_KEY_EXCHANGE;
        if (at[0] == CERTIFICATE && swapper->list != NULL) {
            send_list(swapper);
        } else {
            send_messages(swapper, at, size);
        }
        at += size;
        left -= size;
    }
    memmove(swapper->messages, at, left);
    swapper->messages_size = left;
}

/* Takes one record. Returns whether there was a whole one. */
static bool take_record(struct swapper *swapper) {
    const uint8_t *at = swapper->arrived;
    size_t size = swapper->arrived_size < RECORD_HEADER
                      ? SIZE_MAX
                      : RECORD_HEADER + ((size_t)at[3] << 8 | at[4]);
    if (size > swapper->arrived_size) {
        return false;
    }
    swapper->encrypted = swapper->encrypted || at[0] == CIPHER_CHANGE;
    if (at[0] == HANDSHAKE_RECORD && !swapper->encrypted) {
        size_t content = size - RECORD_HEADER;
        memcpy(swapper->messages + swapper->messages_size, at + RECORD_HEADER, content);
        swapper->messages_size += content;
        take_messages(swapper);
    } else {
        (void)write_all(swapper, at, size);
    }
    memmove(swapper->arrived, at + size, swapper->arrived_size - size);
    swapper->arrived_size -= size;
    return true;
}

static bool carry(struct swapper *swapper) {
    size_t got = 0;
    if (portls_read_avail(swapper->from, swapper->arrived + swapper->arrived_size,
                          ROOM - swapper->arrived_size, &got, &problem) != PORTLS_OK) {
        return false;
    }
    swapper->arrived_size += got;
    while (take_record(swapper)) {
    }
    return got > 0;
}

static void step(struct side *side) {
    if (side->status == PORTLS_WANT_READ || side->status == PORTLS_WANT_WRITE) {
        side->status = portls_handshake_avail(side->in, &side->error);
    }
}

bool certificate_swap(struct wire *wire, const struct certificate_list *list) {
    static uint8_t room[4][ROOM];
    struct swapper there = {
        .from = wire->from_client, .to = wire->to_server, .arrived = room[0], .messages = room[1]};
    struct swapper back = {.list = list,
                           .from = wire->from_server,
                           .to = wire->to_client,
                           .arrived = room[2],
                           .messages = room[3]};
    bool moved = true;
    while (moved) {
        step(&wire->link.client);
        step(&wire->link.server);
        moved = carry(&there);
        moved = carry(&back) || moved;
    }
    return there.exchanged_key;
}
