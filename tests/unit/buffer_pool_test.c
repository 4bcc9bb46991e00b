/* Buffers are lent and come back (design section 9). */
#include <criterion/criterion.h>

#include "core/base/buffer_pool.h"

Test(buffer_pool, what_was_given_back_is_lent_again) {
    static struct buffer_pool pool; /* all zero: empty */
    uint8_t *first = buffer_pool_take(&pool);
    uint8_t *second = buffer_pool_take(&pool);
    cr_assert_not_null(first);
    cr_assert_not_null(second);
    first[BUFFER_SIZE - 1] = 1;
    second[BUFFER_SIZE - 1] = 1;
    buffer_pool_give(&pool, first);
    buffer_pool_give(&pool, second);
    cr_assert_eq(buffer_pool_take(&pool), first);
    cr_assert_eq(buffer_pool_take(&pool), second);
    buffer_pool_give(&pool, first);
    buffer_pool_give(&pool, second);
    buffer_pool_destroy(&pool);
}

Test(buffer_pool, nobody_gets_what_another_one_has) {
    static struct buffer_pool pool; /* all zero: empty */
    enum { LENT = 2 * BUFFER_POOL_KEEPS + 1 };
    uint8_t *lent[LENT];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < LENT; i++) {
            lent[i] = buffer_pool_take(&pool);
            cr_assert_not_null(lent[i]);
            for (int j = 0; j < i; j++) {
                cr_assert_neq(lent[i], lent[j]);
            }
        }
        /* More than it keeps: the rest is freed, which the leak checkers see to. */
        for (int i = 0; i < LENT; i++) {
            buffer_pool_give(&pool, lent[i]);
        }
    }
    int kept = 0;
    for (int i = 0; i < BUFFER_POOL_KEEPS; i++) {
        kept += pool.slots[i] != NULL ? 1 : 0;
    }
    cr_assert_eq(kept, BUFFER_POOL_KEEPS);
    buffer_pool_destroy(&pool);
}
