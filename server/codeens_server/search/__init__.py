"""What a run asks for next: who is asked, what right answers are improved on, and when nothing can change any more."""
