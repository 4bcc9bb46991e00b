/* A certificate and the name constraints of its authority, for the tests of these. */
#ifndef TESTS_UNIT_CONSTRAINED_H
#define TESTS_UNIT_CONSTRAINED_H

#include <criterion/criterion.h>

#include "core/x509/general_name.h"
#include "core/x509/name_constraints.h"
#include "name_writer.h"

enum { PERMITTED, EXCLUDED };

/* What a base is to a name: permitting it accepts the name, and excluding it refuses the name; the
   other way round; or both refuse. */
enum relation { COVERS, IS_BESIDE, REFUSES };

/* One certificate and the constraints of its authority. */
struct fixture {
    struct der lists[2];
    struct der names, subject;
    size_t left;
    bool is_leaf;
};

static inline void constrain(struct fixture *fixture, int list, uint8_t kind, const void *base,
                             size_t size) {
    struct der subtree = {.size = 0};
    der_add(&subtree, kind, base, size);
    der_add_der(&fixture->lists[list], DER_SEQUENCE, &subtree);
}

/* Checks with constraints whose content is given. There is no list of names if it is empty. */
static inline bool holds_with(struct fixture *fixture, const struct der *constraints) {
    struct certificate authority = {.has_name_constraints = true,
                                    .name_constraints = der_blob(constraints)};
    struct certificate certificate = {.subject = der_blob(&fixture->subject),
                                      .has_alternative_names = fixture->names.size > 0,
                                      .alternative_names = der_blob(&fixture->names)};
    struct name_check check = {.left = fixture->left};
    bool hold = name_constraints_hold(&authority, &certificate, fixture->is_leaf, &check);
    fixture->left = check.left;
    return hold;
}

static inline bool holds(struct fixture *fixture) {
    struct der constraints = {.size = 0};
    for (int list = 0; list < 2; list++) {
        if (fixture->lists[list].size > 0) {
            der_add_der(&constraints, (uint8_t)DER_CONTEXT_CONSTRUCTED(list),
                        &fixture->lists[list]);
        }
    }
    fixture->left = NAME_COMPARISONS_MAX;
    return holds_with(fixture, &constraints);
}

struct row {
    uint8_t kind;
    const char *base;
    size_t base_size;
    const char *name;
    size_t name_size;
    enum relation relation;
};

#define ROW(kind, base, name, relation)                                                            \
    { NAME_##kind, base, sizeof(base) - 1, name, sizeof(name) - 1, relation }

static inline bool row_holds(const struct row *row, int list) {
    struct fixture fixture = {.left = 0};
    constrain(&fixture, list, row->kind, row->base, row->base_size);
    der_add(&fixture.names, row->kind, row->name, row->name_size);
    return holds(&fixture);
}

static inline void check_rows(const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        cr_expect_eq(row_holds(row, PERMITTED), row->relation == COVERS,
                     "row %zu: \"%s\" with \"%s\" permitted", i, row->name, row->base);
        cr_expect_eq(row_holds(row, EXCLUDED), row->relation == IS_BESIDE,
                     "row %zu: \"%s\" with \"%s\" excluded", i, row->name, row->base);
    }
}

#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof *(rows))

#endif
