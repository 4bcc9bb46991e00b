/* Reads the blocks of a PEM text and decodes them. */
#include "core/x509/pem.h"

#include <string.h>

#include "core/x509/der.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/os/os.h"

enum { LABEL_MAX = 64 };

/* A line without its end and without surrounding white space. */
struct line {
    const char *text;
    size_t size;
    const char *start; /* the first byte of the whole line */
    size_t number;
    bool indented;
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* Takes the next line. Returns false at the end of the text. */
static bool take_line(struct pem_reader *reader, struct line *line) {
    if (reader->at == reader->size) {
        return false;
    }
    const char *start = reader->text + reader->at;
    size_t left = reader->size - reader->at;
    size_t length = 0;
    while (length < left && start[length] != '\n' && start[length] != '\r') {
        length++;
    }
    size_t whole = length;
    if (whole < left) {
        whole += whole + 1 < left && start[whole] == '\r' && start[whole + 1] == '\n' ? 2 : 1;
    }
    reader->at += whole;
    size_t first = 0;
    while (first < length && is_blank(start[first])) {
        first++;
    }
    while (length > first && is_blank(start[length - 1])) {
        length--;
    }
    *line = (struct line){start + first, length - first, start, reader->line++, first > 0};
    return true;
}

static bool starts_with(const struct line *line, const char *prefix) {
    size_t size = strlen(prefix);
    return line->size >= size && memcmp(line->text, prefix, size) == 0;
}

/* Finds the label of a line "-----BEGIN label-----" or "-----END label-----" that begins with the
   prefix. */
static bool line_label(const struct line *line, const char *prefix, const char **label,
                       size_t *size) {
    static const char dashes[] = "-----";
    size_t before = strlen(prefix);
    size_t after = sizeof dashes - 1;
    if (line->size <= before + after ||
        memcmp(line->text + line->size - after, dashes, after) != 0) {
        return false;
    }
    *label = line->text + before;
    *size = line->size - before - after;
    for (size_t i = 0; i < *size; i++) {
        if ((*label)[i] < 0x20 || (*label)[i] > 0x7e) {
            return false;
        }
    }
    return *size <= LABEL_MAX;
}

static const char begin_prefix[] = "-----BEGIN ";
static const char end_prefix[] = "-----END ";

void pem_reader_init(struct pem_reader *reader, const void *bytes, size_t size, const char *name,
                     portls_status failure) {
    static const char mark[] = {'\xef', '\xbb', '\xbf'};
    size_t at = size >= sizeof mark && memcmp(bytes, mark, sizeof mark) == 0 ? sizeof mark : 0;
    *reader = (struct pem_reader){bytes, size, at, 1, name, failure};
}

/* Takes a line that must be the BEGIN line of a block. */
static portls_status begin_block(const struct pem_reader *reader, const struct line *line,
                                 struct pem_block *block, portls_error *error) {
    *block = (struct pem_block){.line = line->number};
    if (!line_label(line, begin_prefix, &block->label, &block->label_size)) {
        return error_fail(error, reader->failure,
                          "%s: line %zu begins a PEM block, but is not of the form "
                          "-----BEGIN LABEL-----",
                          reader->name, line->number);
    }
    return PORTLS_OK;
}

/* Whether an END line ends this block. */
static bool ends_block(const struct line *line, const struct pem_block *block) {
    const char *label = NULL;
    size_t size = 0;
    return line_label(line, end_prefix, &label, &size) && size == block->label_size &&
           memcmp(label, block->label, size) == 0;
}

/* Whether a header marks the block as encrypted (RFC 1421, 4.6.1.1). */
static bool says_encrypted(const struct line *line) {
    static const char text[] = "ENCRYPTED";
    size_t size = sizeof text - 1;
    return starts_with(line, "Proc-Type:") &&
           memcmp(line->text + line->size - size, text, size) == 0;
}

/* Takes the lines of a block up to its END. Headers ("Name: value", continued on lines that begin
   with white space) come before the base64, which contains no colon. */
static portls_status take_body(struct pem_reader *reader, struct pem_block *block,
                               portls_error *error) {
    struct line line;
    bool in_headers = true;
    bool seen_header = false;
    while (take_line(reader, &line)) {
        if (starts_with(&line, end_prefix) && ends_block(&line, block)) {
            if (block->body == NULL) {
                block->body = line.start;
                block->body_line = line.number;
            }
            block->body_size = (size_t)(line.start - block->body);
            return PORTLS_OK;
        }
        if (starts_with(&line, begin_prefix) || starts_with(&line, end_prefix)) {
            if (starts_with(&line, begin_prefix)) {
                /* A caller that skips this block goes on with the one that begins here. */
                reader->at = (size_t)(line.start - reader->text);
                reader->line = line.number;
            }
            break;
        }
        if (in_headers) {
            bool is_header = memchr(line.text, ':', line.size) != NULL ||
                             (seen_header && line.indented && line.size > 0);
            seen_header = seen_header || is_header;
            block->encrypted = block->encrypted || says_encrypted(&line);
            if (!is_header) {
                in_headers = false;
                block->body = line.start;
                block->body_line = line.number;
            }
        }
    }
    return error_fail(error, reader->failure,
                      "%s: the PEM block %.*s that begins in line %zu has no line "
                      "-----END %.*s-----",
                      reader->name, (int)block->label_size, block->label, block->line,
                      (int)block->label_size, block->label);
}

portls_status pem_reader_next(struct pem_reader *reader, struct pem_block *block,
                              portls_error *error) {
    struct line line;
    while (take_line(reader, &line)) {
        if (starts_with(&line, end_prefix)) {
            return error_fail(error, reader->failure,
                              "%s: line %zu ends a PEM block that has no -----BEGIN line",
                              reader->name, line.number);
        }
        if (starts_with(&line, begin_prefix)) {
            portls_status status = begin_block(reader, &line, block, error);
            return status == PORTLS_OK ? take_body(reader, block, error) : status;
        }
    }
    return PORTLS_EOF;
}

bool pem_block_is(const struct pem_block *block, const char *label) {
    return block->label_size == strlen(label) &&
           memcmp(block->label, label, block->label_size) == 0;
}

bool pem_block_is_certificate(const struct pem_block *block) {
    return pem_block_is(block, "CERTIFICATE") || pem_block_is(block, "X509 CERTIFICATE") ||
           pem_block_is(block, "TRUSTED CERTIFICATE");
}

/* Returns all ones when low ≤ c ≤ high, else 0. */
static uint32_t in_range(uint32_t c, uint32_t low, uint32_t high) {
    return ~((((c - low) | (high - c)) >> 31) * UINT32_MAX);
}

/* Returns the value of a base64 character, or at least 64 for any other. Has no table and no
   branches, so that a key's characters show neither in the cache nor in the time. */
static uint32_t base64_value(uint8_t character) {
    uint32_t c = character;
    uint32_t upper = in_range(c, 'A', 'Z');
    uint32_t lower = in_range(c, 'a', 'z');
    uint32_t digit = in_range(c, '0', '9');
    uint32_t plus = in_range(c, '+', '+');
    uint32_t slash = in_range(c, '/', '/');
    uint32_t none = ~(upper | lower | digit | plus | slash);
    return (upper & (c - 'A')) | (lower & (c - 'a' + 26)) | (digit & (c - '0' + 52)) | (plus & 62) |
           (slash & 63) | (none & 64);
}

/* The state of decoding: the current group of four characters. */
struct base64 {
    uint8_t *out;
    size_t size;
    uint32_t group;
    unsigned count;   /* characters in the group, including padding */
    unsigned padding; /* padding characters among them */
    bool ended;       /* a padded group was the last */
    size_t line;
};

/* Takes one character. Returns false when it is invalid here. */
static bool base64_take(struct base64 *state, char character) {
    bool pad = character == '=';
    uint32_t value = pad ? 0 : base64_value((uint8_t)character);
    if (value > 63 || state->ended || (pad && state->count < 2) || (!pad && state->padding > 0)) {
        return false;
    }
    state->group = state->group << 6 | value;
    state->padding += pad ? 1U : 0U;
    if (++state->count == 4) {
        for (unsigned i = 0; i < 3 - state->padding; i++) {
            state->out[state->size++] = (uint8_t)(state->group >> (16 - 8 * i));
        }
        state->ended = state->padding > 0;
        state->group = 0;
        state->count = 0;
    }
    return true;
}

/* Decodes a whole body. Returns NULL, or the fault in line `state->line`. */
static const char *base64_decode(struct base64 *state, const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == '\n' || c == '\r') {
            bool second = c == '\n' && i > 0 && text[i - 1] == '\r';
            state->line += second ? 0 : 1;
        } else if (!is_blank(c) && !base64_take(state, c)) {
            return "has a character that base64 has not at this place";
        }
    }
    if (state->count != 0) {
        return "ends in the middle of its base64";
    }
    return state->size == 0 ? "has nothing in it" : NULL;
}

portls_status pem_block_decode(const struct pem_reader *reader, const struct pem_block *block,
                               size_t limit, uint8_t **bytes, size_t *size, portls_error *error) {
    *bytes = NULL;
    *size = 0;
    size_t room = block->body_size / 4 * 3 + 3;
    if (room > limit + limit / 8) {
        return error_fail(error, reader->failure,
                          "%s: the PEM block %.*s that begins in line %zu is too long (it may have "
                          "%zu bytes)",
                          reader->name, (int)block->label_size, block->label, block->line, limit);
    }
    uint8_t *out = memory_allocate(room);
    if (out == NULL) {
        return error_fail(error, PORTLS_NO_MEMORY, "%s: no memory to decode it", reader->name);
    }
    struct base64 state = {.out = out, .line = block->body_line};
    const char *fault = base64_decode(&state, block->body, block->body_size);
    portls_status status = PORTLS_OK;
    if (fault != NULL) {
        status = error_fail(
            error, reader->failure, "%s: the PEM block %.*s that begins in line %zu %s (line %zu)",
            reader->name, (int)block->label_size, block->label, block->line, fault, state.line);
        os_wipe(out, state.size);
        memory_free(out);
    } else {
        *bytes = out;
        *size = state.size;
    }
    os_wipe(&state, sizeof state);
    return status;
}

bool pem_is_der(const void *bytes, size_t size) {
    struct backend_blob content;
    return der_whole(bytes, size, DER_SEQUENCE, &content);
}

bool pem_is_pem(const void *bytes, size_t size) {
    struct pem_reader reader;
    pem_reader_init(&reader, bytes, size, "", PORTLS_BAD_KEY);
    struct line line;
    while (take_line(&reader, &line)) {
        if (starts_with(&line, begin_prefix)) {
            return true;
        }
    }
    return false;
}

bool pem_has_certificate(const void *bytes, size_t size) {
    struct pem_reader reader;
    pem_reader_init(&reader, bytes, size, "", PORTLS_BAD_CERTIFICATE);
    struct line line;
    struct pem_block block;
    while (take_line(&reader, &line)) {
        if (starts_with(&line, begin_prefix) &&
            line_label(&line, begin_prefix, &block.label, &block.label_size) &&
            pem_block_is_certificate(&block)) {
            return true;
        }
    }
    return false;
}
