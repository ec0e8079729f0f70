# SPDX-License-Identifier: Apache-2.0
$(eval $(call library,lib/store,hdf5 libcjson libutf8proc))
