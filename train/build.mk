# SPDX-License-Identifier: Apache-2.0
$(eval $(call program,allot-train,train,core liballot,openblas))
