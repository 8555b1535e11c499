"""What any HTTP service needs: problems, bodies, disconnects, headers."""
