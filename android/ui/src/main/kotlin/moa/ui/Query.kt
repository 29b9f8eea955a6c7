package moa.ui

import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.setValue
import uniffi.moa.Industry
import uniffi.moa.Search
import uniffi.moa.SearchSort
import uniffi.moa.ShopProfile

/** What someone looks for: from [here], as the core says a search begins. */
class Query(private val here: Search) {
    var text by mutableStateOf("")
    var near by mutableStateOf(true)
    var trade: Industry? by mutableStateOf(null)

    /** None: what the core puts first. */
    var sort: SearchSort? by mutableStateOf(null)

    /** Whether the own shop says where it is. */
    val knowsWhere get() = here.near != null || here.area != null

    fun search(offset: UInt = 0u) = here.copy(
        text = text.trim().ifEmpty { null },
        near = here.near.takeIf { near },
        area = here.area.takeIf { near },
        industry = trade?.code,
        sort = sort,
        offset = offset,
    )
}

/** How the own shop is to present itself. */
class ShopForm(private val before: ShopProfile) {
    var area by mutableStateOf(before.area.orEmpty())
    var building by mutableStateOf(before.building.orEmpty())
    var trade: String? by mutableStateOf(before.industry)

    fun profile() = before.copy(
        area = area.trim().ifEmpty { null },
        building = building.trim().ifEmpty { null },
        industry = trade,
    )
}
