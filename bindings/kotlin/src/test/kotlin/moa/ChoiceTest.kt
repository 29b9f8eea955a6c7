package moa

import java.nio.file.Path
import kotlin.io.path.readLines
import kotlin.test.assertEquals
import org.junit.jupiter.api.Test
import uniffi.moa.choiceDecisions

class ChoiceTest {
    @Test
    fun `ten thousand choices come out as everywhere, to the bit`() {
        val known = Path.of("..", "..", "core", "rules", "tests", "choice", "decisions.txt").readLines()
        assertEquals(10_000, known.size)
        assertEquals(known, choiceDecisions(10_000u))
    }
}
