/* SPDX-License-Identifier: Apache-2.0 */
/* allot.h - the whole library: load a bundle, give it a query's embedding, get a strategy. */
#ifndef ALLOT_H
#define ALLOT_H
#include "bundle.h"
#include "ngram.h"
#endif
