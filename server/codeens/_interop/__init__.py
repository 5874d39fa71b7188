"""Other people's evaluation frameworks: our ensemble as a solver of theirs, our judge as their scorer."""
