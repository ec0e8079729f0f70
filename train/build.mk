# SPDX-License-Identifier: Apache-2.0
$(eval $(call program,allot-train,train,lib/store lib/core liballot,openblas))
